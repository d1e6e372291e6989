/**
 * Draws pictures as they come from the core: I420 planes, turned into colours by the graphics card. One texture per
 * plane; nothing is allocated while the size stays.
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
export class Painter {
  #gl: WebGL2RenderingContext;
  #textures: WebGLTexture[] = [];
  #size = "";

  /** Nothing without WebGL. */
  static on(canvas: HTMLCanvasElement): Painter | undefined {
    const gl = canvas.getContext("webgl2", { alpha: false, antialias: false, preserveDrawingBuffer: true });
    return gl ? new Painter(gl) : undefined;
  }

  private constructor(gl: WebGL2RenderingContext) {
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

  /** Shows a picture; the canvas takes its size. */
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

  /** Gives the graphics card's memory back. */
  close(): void {
    for (const texture of this.#textures) this.#gl.deleteTexture(texture);
    this.#gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}
