// The elements of a map: canvases on each other, and the words beside them.

const HELP =
  "Arrow keys move the view, or go from the chosen point to the next one; with Shift they always " +
  "move the view. Plus and minus zoom, 0 shows everything, Enter chooses the point in the " +
  "middle, Escape lets go.";

const STYLE = `
.map { position: relative; width: 100%; height: 100%; min-height: 120px; overflow: hidden;
  color: var(--ink, CanvasText); background: var(--paper, Canvas); }
.map canvas { position: absolute; inset: 0; width: 100%; height: 100%; }
.map .touched { touch-action: pan-x pan-y; outline: none; cursor: default;
  color: var(--ink, CanvasText); background-color: transparent;
  border-color: var(--paper, Canvas); outline-color: var(--accent, Highlight);
  transition: color 1ms, border-color 1ms, outline-color 1ms;
  -webkit-tap-highlight-color: transparent; user-select: none; -webkit-user-select: none; }
.map .touched[data-awake], .map .touched:not([data-mode=pan]) { touch-action: none; }
.map .touched:not([data-mode=pan]) { cursor: crosshair; }
.map .touched[data-over] { cursor: pointer; }
.map .touched[data-dragged] { cursor: grabbing; }
.map .frame { position: absolute; inset: 0; pointer-events: none; border-radius: inherit; }
.map .touched:focus-visible ~ .frame, .map .touched[data-awake] ~ .frame {
  box-shadow: inset 0 0 0 2px var(--accent, Highlight); }
.map .tooltip { position: absolute; left: 0; top: 0; pointer-events: none; visibility: hidden;
  width: max-content; max-width: min(18rem, 80%); }
.map .notice { position: absolute; left: 50%; bottom: 0.75rem; transform: translateX(-50%);
  width: max-content; max-width: 90%; box-sizing: border-box; padding: 0.3rem 0.7rem;
  border-radius: 1rem; font-size: 0.8rem; pointer-events: none; color: var(--paper, Canvas);
  background: var(--ink, CanvasText); opacity: 0.85; }
.map .notice:empty { display: none; }
.map .said { position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap; }
`;

let made = 0; // maps so far, for ids

/**
 * Build a map's elements into another one.
 *
 * @param {HTMLElement} element
 * @param {string} label  what the map shows, for screen readers
 * @returns {{root: HTMLElement, canvases: object, texts: object}}  canvases: backdrop, points and
 *   overlay, which takes pointers and keys; texts: tooltip, notice, and said for screen readers
 */
export function createStage(element, label) {
  const make = (tag, className) => {
    const child = document.createElement(tag);
    child.className = className;
    return child;
  };
  const root = make("div", "map");
  const style = document.createElement("style");
  style.textContent = STYLE;
  const [backdrop, points, overlay] = ["backdrop", "points", "touched"].map((name) =>
    make("canvas", name),
  );
  const [frame, tooltip, notice, said, help] = ["frame", "tooltip", "notice", "said", "said"].map(
    (name) => make("div", name),
  );
  backdrop.hidden = true;
  said.setAttribute("aria-live", "polite");
  notice.setAttribute("role", "status");
  help.textContent = HELP;
  help.id = `map-help-${++made}`;
  overlay.tabIndex = 0;
  overlay.setAttribute("role", "application");
  overlay.setAttribute("aria-roledescription", "map");
  overlay.setAttribute("aria-label", label);
  overlay.setAttribute("aria-describedby", help.id);
  for (const canvas of [backdrop, points]) canvas.setAttribute("aria-hidden", "true");
  root.append(style, backdrop, points, overlay, frame, tooltip, notice, said, help);
  element.append(root);
  return { root, canvases: { backdrop, points, overlay }, texts: { tooltip, notice, said } };
}

/** The colours and the font of the page around an element of the map. */
export function themeOf(overlay) {
  const { color, borderTopColor, outlineColor, fontFamily } = getComputedStyle(overlay);
  return { ink: color, paper: borderTopColor, accent: outlineColor, font: fontFamily };
}

/**
 * Put the tooltip beside a place, on the side where there is room.
 *
 * @param {HTMLElement} tooltip
 * @param {{x: number, y: number, gap: number} | null} place  in pixels; null: take it away
 * @param {{width: number, height: number}} map
 */
export function placeTooltip(tooltip, place, { width, height }) {
  if (!place || !tooltip.hasChildNodes()) {
    tooltip.style.visibility = "hidden";
    return;
  }
  const { x, y, gap } = place;
  const [wide, tall] = [tooltip.offsetWidth, tooltip.offsetHeight];
  const left = x + gap + wide <= width ? x + gap : Math.max(x - gap - wide, 0);
  const top = Math.min(Math.max(y - tall / 2, 0), Math.max(height - tall, 0));
  tooltip.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  tooltip.style.visibility = "visible";
}
