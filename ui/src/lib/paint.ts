/**
 * Draws pictures as they come from the core: I420 planes, turned into colours by the graphics card, or by the processor
 * where a page has no WebGL. Nothing is allocated while the size stays.
 */

/** What a message of pictures begins with: number, width, height and a reserve, each 32 bits, little endian. */
const HEADER = 16;

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

/** A picture as it came over the bridge. */
export interface Picture {
  number: number;
  width: number;
  height: number;
  planes: [Uint8Array, Uint8Array, Uint8Array];
}

/** Reads a message; nothing if it is not whole. */
export function picture(bytes: ArrayBuffer): Picture | undefined {
  if (bytes.byteLength < HEADER) return undefined;
  const header = new DataView(bytes);
  const [number, width, height] = [header.getUint32(0, true), header.getUint32(4, true), header.getUint32(8, true)];
  const luma = width * height;
  const chroma = Math.ceil(width / 2) * Math.ceil(height / 2);
  if (luma === 0 || bytes.byteLength !== HEADER + luma + 2 * chroma) return undefined;
  return {
    number,
    width,
    height,
    planes: [
      new Uint8Array(bytes, HEADER, luma),
      new Uint8Array(bytes, HEADER + luma, chroma),
      new Uint8Array(bytes, HEADER + luma + chroma, chroma),
    ],
  };
}

/** Paints on one canvas. */
export interface Painter {
  /** Shows a picture; the canvas takes its size. */
  draw(picture: Picture): void;
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

  draw({ width, height, planes }: Picture): void {
    const gl = this.#gl;
    const size = `${width}x${height}`;
    const fresh = size !== this.#size;
    if (fresh) {
      this.#size = size;
      gl.canvas.width = width;
      gl.canvas.height = height;
      gl.viewport(0, 0, width, height);
    }
    planes.forEach((plane, at) => {
      const [w, h] = at === 0 ? [width, height] : [Math.ceil(width / 2), Math.ceil(height / 2)];
      gl.activeTexture(gl.TEXTURE0 + at);
      if (fresh) gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8, w, h, 0, gl.RED, gl.UNSIGNED_BYTE, plane);
      else gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, w, h, gl.RED, gl.UNSIGNED_BYTE, plane);
    });
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
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

  draw(picture: Picture): void {
    const { width, height } = picture;
    if (this.#image?.width !== width || this.#image.height !== height) {
      this.#plain.canvas.width = width;
      this.#plain.canvas.height = height;
      this.#image = this.#plain.createImageData(width, height);
    }
    colours(picture, this.#image.data);
    this.#plain.putImageData(this.#image, 0, 0);
  }

  close(): void {
    this.#image = undefined;
  }
}

/** Fixed point of 1/65536: what {@link FRAGMENT} computes with fractions. */
const [LUMA, V_RED, U_GREEN, V_GREEN, U_BLUE] = [76304, 104595, 25625, 53281, 132252];

/**
 * Writes the colours of a picture, BT.601 of limited range, as RGBA of 8 bits each.
 *
 * @param rgba four bytes for each pixel, rows without a gap; it cuts off what is out of range
 */
export function colours({ width, height, planes: [luma, u, v] }: Picture, rgba: Uint8ClampedArray): void {
  const half = (width + 1) >> 1;
  for (let row = 0; row < height; row++) {
    let [at, out, chroma] = [row * width, row * width * 4, (row >> 1) * half];
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
