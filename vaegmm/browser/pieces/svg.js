// Elements of a drawing. What they say is text, whatever it holds, and never markup.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an element of a drawing.
 *
 * @param {string} tag
 * @param {object} attributes
 * @param {...(Node | string)} children
 * @returns {SVGElement}
 */
export function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Write into a drawing; `anchor` is start, middle or end. */
export function drawText(x, y, said, anchor, kind = "") {
  return draw("text", { x, y, "text-anchor": anchor, class: kind }, said);
}
