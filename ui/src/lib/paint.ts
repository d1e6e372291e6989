/**
 * Draws pictures as they come from the core: I420 planes, turned into colours by the graphics card, or by the processor
 * where a page has no WebGL. Nothing is allocated while the size stays.
 */

/** What a message of pictures begins with: number, width, height and bands, each 32 bits, little endian. */
const HEADER = 16;

/** Rows around a band that are painted with it: colours lie between the rows. */
const EDGE = 2;

const VERTEX = `#version 300 es
out vec2 at;
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  at = vec2(corner.x, 1.0 - corner.y);
  gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}`;

// BT.601, limited range: what VP8 means.
const FRAGMENT = `#version 300 es
precision mediump float;
in vec2 at;
out vec4 color;
uniform sampler2D planes[3];
void main() {
  float y = 1.1643 * (texture(planes[0], at).r - 0.0627);
  float u = texture(planes[1], at).r - 0.5;
  float v = texture(planes[2], at).r - 0.5;
  color = vec4(y + 1.596 * v, y - 0.391 * u - 0.813 * v, y + 2.018 * u, 1.0);
}`;

/** Some rows of a picture: from `top` to before `bottom`, as the planes Y, U and V. */
export interface Band {
  top: number;
  bottom: number;
  planes: [Uint8Array, Uint8Array, Uint8Array];
}

/** A picture as it came over the bridge. */
export interface Picture {
  number: number;
  width: number;
  height: number;
  /** All of it came; otherwise only what is different from the picture before. */
  whole: boolean;
  bands: Band[];
}

/** Reads a message; nothing if it is not whole. */
export function picture(bytes: ArrayBuffer): Picture | undefined {
  if (bytes.byteLength < HEADER) return undefined;
  const header = new DataView(bytes);
  const word = (at: number) => header.getUint32(at * 4, true);
  const [number, width, height, listed] = [word(0), word(1), word(2), word(3)];
  const whole = listed === 0;
  const count = whole ? 0 : listed - 1;
  let at = HEADER + count * 8;
  if (width === 0 || height === 0 || at > bytes.byteLength) return undefined;
  const half = Math.ceil(width / 2);
  const bands: Band[] = [];
  for (let band = 0; band < (whole ? 1 : count); band++) {
    const [top, bottom] = whole ? [0, height] : [word(4 + band * 2), word(5 + band * 2)];
    if (top >= bottom || bottom > height || top % 2 !== 0) return undefined;
    const luma = width * (bottom - top);
    const chroma = half * (Math.ceil(bottom / 2) - top / 2);
    if (at + luma + 2 * chroma > bytes.byteLength) return undefined;
    const plane = (from: number, length: number) => new Uint8Array(bytes, at + from, length);
    bands.push({ top, bottom, planes: [plane(0, luma), plane(luma, chroma), plane(luma + chroma, chroma)] });
    at += luma + 2 * chroma;
  }
  return at === bytes.byteLength ? { number, width, height, whole, bands } : undefined;
}

/** Paints on one canvas. */
export interface Painter {
  /**
   * Shows a picture; the canvas takes its size. False if it cannot be shown, for the picture that it changes is not
   * there: a whole one is needed.
   */
  draw(picture: Picture): boolean;
  /** Gives back what it holds. */
  close(): void;
}

/** The best painter that the page has; nothing where a canvas has no context at all. */
export function painterOn(canvas: HTMLCanvasElement): Painter | undefined {
  const gl = canvas.getContext("webgl2", { alpha: false, antialias: false, preserveDrawingBuffer: true });
  if (gl) return new CardPainter(gl);
  const plain = canvas.getContext("2d", { alpha: false });
  return plain ? new PlainPainter(plain) : undefined;
}

/** One texture for each plane; the card turns them into colours. */
class CardPainter implements Painter {
  #gl: WebGL2RenderingContext;
  #textures: WebGLTexture[] = [];
  #size = "";

  constructor(gl: WebGL2RenderingContext) {
    this.#gl = gl;
    const program = gl.createProgram();
    for (const [kind, source] of [
      [gl.VERTEX_SHADER, VERTEX],
      [gl.FRAGMENT_SHADER, FRAGMENT],
    ] as const) {
      const shader = gl.createShader(kind);
      if (!shader) return;
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    gl.useProgram(program);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    for (let plane = 0; plane < 3; plane++) {
      gl.activeTexture(gl.TEXTURE0 + plane);
      const texture = gl.createTexture();
      this.#textures.push(texture);
      gl.bindTexture(gl.TEXTURE_2D, texture);
      for (const [name, value] of [
        [gl.TEXTURE_MIN_FILTER, gl.LINEAR],
        [gl.TEXTURE_MAG_FILTER, gl.LINEAR],
        [gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE],
        [gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE],
      ] as const)
        gl.texParameteri(gl.TEXTURE_2D, name, value);
      gl.uniform1i(gl.getUniformLocation(program, `planes[${plane}]`), plane);
    }
  }

  draw({ width, height, whole, bands }: Picture): boolean {
    const gl = this.#gl;
    const size = `${width}x${height}`;
    const fresh = size !== this.#size;
    if (fresh) {
      if (!whole) return false;
      this.#size = size;
      gl.canvas.width = width;
      gl.canvas.height = height;
      gl.viewport(0, 0, width, height);
    }
    for (const { top, bottom, planes } of bands) {
      planes.forEach((plane, at) => {
        const w = at === 0 ? width : Math.ceil(width / 2);
        const [from, to] = at === 0 ? [top, bottom] : [top / 2, Math.ceil(bottom / 2)];
        gl.activeTexture(gl.TEXTURE0 + at);
        if (fresh) gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8, w, to, 0, gl.RED, gl.UNSIGNED_BYTE, plane);
        else gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, from, w, to - from, gl.RED, gl.UNSIGNED_BYTE, plane);
      });
    }
    // The rest of the canvas is kept. It counts from below.
    gl.enable(gl.SCISSOR_TEST);
    for (const { top, bottom } of bands) {
      const [from, to] = [Math.max(0, top - EDGE), Math.min(height, bottom + EDGE)];
      gl.scissor(0, height - to, width, to - from);
      gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    }
    return true;
  }

  close(): void {
    for (const texture of this.#textures) this.#gl.deleteTexture(texture);
    this.#gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

/** Each pixel is computed: what a machine without a graphics card does anyhow. */
class PlainPainter implements Painter {
  #plain: CanvasRenderingContext2D;
  #image: ImageData | undefined;

  constructor(plain: CanvasRenderingContext2D) {
    this.#plain = plain;
  }

  draw({ width, height, whole, bands }: Picture): boolean {
    if (this.#image?.width !== width || this.#image.height !== height) {
      if (!whole) return false;
      this.#plain.canvas.width = width;
      this.#plain.canvas.height = height;
      this.#image = this.#plain.createImageData(width, height);
    }
    for (const band of bands) {
      colours(width, band, this.#image.data);
      this.#plain.putImageData(this.#image, 0, 0, 0, band.top, width, band.bottom - band.top);
    }
    return true;
  }

  close(): void {
    this.#image = undefined;
  }
}

/** Fixed point of 1/65536: what {@link FRAGMENT} computes with fractions. */
const [LUMA, V_RED, U_GREEN, V_GREEN, U_BLUE] = [76304, 104595, 25625, 53281, 132252];

/**
 * Writes the colours of a band, BT.601 of limited range, as RGBA of 8 bits each.
 *
 * @param width of the picture
 * @param rgba the whole picture's: four bytes for each pixel, rows without a gap; it cuts off what is out of range
 */
export function colours(width: number, { top, bottom, planes: [luma, u, v] }: Band, rgba: Uint8ClampedArray): void {
  const half = (width + 1) >> 1;
  for (let row = 0; row < bottom - top; row++) {
    let [at, out, chroma] = [row * width, (top + row) * width * 4, (row >> 1) * half];
    for (let column = 0; column < width; column++) {
      const y = LUMA * (luma[at++]! - 16) + 32768;
      const blue = u[chroma]! - 128;
      const red = v[chroma]! - 128;
      rgba[out] = (y + V_RED * red) >> 16;
      rgba[out + 1] = (y - U_GREEN * blue - V_GREEN * red) >> 16;
      rgba[out + 2] = (y + U_BLUE * blue) >> 16;
      rgba[out + 3] = 255;
      out += 4;
      chroma += column & 1;
    }
  }
}
