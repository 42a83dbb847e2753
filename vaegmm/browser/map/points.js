// Draws points with WebGL 2: all of them in one call, on the way from one place to another.

const VERTEX = `#version 300 es
uniform mat4 matrix;
uniform float glide, blend, size, opacity;
in vec3 from, to;
in vec4 colourFrom, colourTo;
out vec4 colour;
out float radius;
void main() {
  gl_Position = matrix * vec4(mix(from, to, glide), 1.0);
  float diameter = size / gl_Position.w;
  gl_PointSize = diameter + 1.0;
  radius = diameter / 2.0;
  colour = mix(colourFrom, colourTo, blend);
  // What is far is faint, so that a cloud has a front.
  float near = clamp(1.35 / gl_Position.w - 0.35, 0.25, 1.0);
  colour.a *= opacity * near;
  if (colour.a == 0.0) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
}`;

const FRAGMENT = `#version 300 es
precision mediump float;
in vec4 colour;
in float radius;
out vec4 pixel;
void main() {
  float distance = length(gl_PointCoord - 0.5) * (2.0 * radius + 1.0);
  float alpha = colour.a * clamp(radius - distance + 0.5, 0.0, 1.0);
  pixel = vec4(colour.rgb * alpha, alpha);
}`;

const ATTRIBUTES = ["from", "to", "colourFrom", "colourTo"];
const UNIFORMS = ["matrix", "glide", "blend", "size", "opacity"];

// Renderers that are a program and no graphics card, by the names they give themselves: Chromium
// does not report them as a "major performance caveat".
const PROGRAMS = /swiftshader|llvmpipe|softpipe|software|basic render/i;

/** Whether the browser has WebGL 2 with a graphics card behind it. */
export function hasGraphicsCard() {
  const gl = document.createElement("canvas").getContext("webgl2");
  if (!gl) return false;
  const names = gl.getExtension("WEBGL_debug_renderer_info");
  const name = gl.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return !PROGRAMS.test(name);
}

/** A drawing of points on a canvas. It keeps what it is given, for when the context was lost. */
export class WebGLPoints {
  /** Of how many points at most it draws all. */
  static capacity = Infinity;

  /** @throws {Error} where the browser has no WebGL 2 */
  constructor(canvas) {
    this.canvas = canvas;
    this.gl = canvas.getContext("webgl2", {
      antialias: false, // the fragment shader smooths the discs
      depth: false,
      powerPreference: "high-performance",
    });
    if (!this.gl) throw new Error("This browser has no WebGL 2.");
    this.arrays = {};
    this.order = null;
    this.restore();
  }

  /** Make again what lived in the context: after its loss all of it is gone. */
  restore() {
    const { gl } = this;
    if (gl.isContextLost()) return;
    const program = gl.createProgram();
    for (const [type, source] of [
      [gl.VERTEX_SHADER, VERTEX],
      [gl.FRAGMENT_SHADER, FRAGMENT],
    ]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    ATTRIBUTES.forEach((name, i) => gl.bindAttribLocation(program, i, name));
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost())
      throw new Error(`The points' shader does not link: ${gl.getProgramInfoLog(program)}`);
    gl.useProgram(program);
    const named = (names, make) => Object.fromEntries(names.map((name) => [name, make(name)]));
    this.at = named(UNIFORMS, (name) => gl.getUniformLocation(program, name));
    this.buffers = named(ATTRIBUTES, () => gl.createBuffer());
    this.indices = gl.createBuffer();
    ATTRIBUTES.forEach((_, i) => gl.enableVertexAttribArray(i));
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.clearColor(0, 0, 0, 0);
    for (const name of ATTRIBUTES) if (this.arrays[name]) this.#upload(name, this.arrays[name]);
    this.setOrder(this.order);
  }

  /**
   * @param {Float32Array} to  where the points are to be, (N, 3)
   * @param {Float32Array} from  where they are when `glide` is 0, (N, 3); the same array: no glide
   */
  setPoints(to, from) {
    this.#upload("to", to);
    this.#upload("from", from);
  }

  /** The same for colours, RGBA, (N, 4) uint8. */
  setColours(to, from) {
    this.#upload("colourTo", to);
    this.#upload("colourFrom", from);
  }

  /** In which order they are drawn, (N,) uint32; null: as they are stored. */
  setOrder(order) {
    const { gl } = this;
    this.order = order;
    if (!order) return;
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.indices);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, order, gl.DYNAMIC_DRAW);
  }

  /**
   * @param {Camera} camera
   * @param {{glide: number, blend: number, size: number, opacity: number}} look  how far places and
   *   colours are on their way, in [0, 1]; diameter in CSS pixels; opacity in [0, 1]
   */
  draw(camera, { glide, blend, size, opacity }) {
    const { gl, at, arrays } = this;
    if (gl.isContextLost()) return;
    const { width, height } = this.canvas;
    gl.viewport(0, 0, width, height);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const n = arrays.to && arrays.colourTo ? arrays.to.length / 3 : 0;
    if (n === 0) return;
    gl.uniformMatrix4fv(at.matrix, false, camera.matrix);
    gl.uniform1f(at.glide, glide);
    gl.uniform1f(at.blend, blend);
    gl.uniform1f(at.size, (size * width) / camera.width);
    gl.uniform1f(at.opacity, opacity);
    if (this.order) gl.drawElements(gl.POINTS, n, gl.UNSIGNED_INT, 0);
    else gl.drawArrays(gl.POINTS, 0, n);
  }

  destroy() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  #upload(name, array) {
    const { gl } = this;
    const i = ATTRIBUTES.indexOf(name);
    this.arrays[name] = array;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
    gl.bufferData(gl.ARRAY_BUFFER, array, gl.STATIC_DRAW);
    if (i < 2) gl.vertexAttribPointer(i, 3, gl.FLOAT, false, 0, 0);
    else gl.vertexAttribPointer(i, 4, gl.UNSIGNED_BYTE, true, 0, 0);
  }
}
