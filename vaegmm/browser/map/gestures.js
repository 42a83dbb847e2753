// Turns pointers, wheel and keys into what a person means by them. It knows an element and calls
// `act`; what a pan or a pick does is not its business.

const STILL = { mouse: 4, pen: 6, touch: 9 }; // pixels a pointer may move and still have tapped
const WHEEL = 0.0016; // of the zoom's logarithm a pixel of the wheel
const PINCHED = 6; // times that on a trackpad, which reports a pinch as a wheel with Ctrl
const LINE = 16; // pixels; some mice count lines
const STEP = 1.5; // a zoom by a key
const TRACE_STEP = 3; // pixels between the corners of an outline

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * Listen to an element until `signal` says otherwise.
 *
 * With one finger the page scrolls, until a tap wakes the element; two fingers are always for it.
 *
 * @param {HTMLElement} element  it has the focus while keys are for it
 * @param {object} act  what to call; places in CSS pixels from the upper left corner:
 *   mode(): "pan", "box" or "lasso"; isSolid(): whether a drag turns what is seen;
 *   hover(x, y), leave(), tap(x, y, isTouch), drag(dx, dy, isAlternative),
 *   zoom(x, y, factor): whether there was room to; trace(corners or null), traced(corners);
 *   grab(x, y): whether something lies there that can be moved; carry(x, y), drop();
 *   step(direction, isPan), pickMiddle(), letGo(), fit();
 *   refused(): one finger has scrolled the page
 * @param {AbortSignal} signal
 */
export function listen(element, act, signal) {
  const pointers = new Map(); // those that are down: where they are
  let gesture = null; // { kind, shape, start, still, corners }; kind: "pan", "alternative",
  // "trace", "carry", "pinch", or "done" until all pointers are up
  let isAwake = false;
  let own = null; // the last event that put a pointer down here

  const on = (target, type, handle, options = {}) =>
    target.addEventListener(type, handle, { signal, ...options });
  const place = (event) => {
    const box = element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const wake = (awake) => {
    isAwake = awake;
    element.toggleAttribute("data-awake", awake);
  };
  const isPages = (event) => event.pointerType === "touch" && !isAwake && act.mode() === "pan";

  function begin(event) {
    const start = place(event);
    const mode = act.mode();
    let kind = mode === "pan" ? "pan" : "trace";
    if (event.button === 2) kind = "alternative";
    else if (event.shiftKey) kind = "trace";
    else if (mode === "pan" && !isPages(event) && act.grab(...start)) kind = "carry";
    const shape = mode === "box" ? "box" : "lasso";
    gesture = { kind, shape, start, still: STILL[event.pointerType] ?? STILL.mouse, corners: null };
  }

  on(element, "pointerdown", (event) => {
    own = event;
    if (event.button === 1 || (event.button === 2 && !act.isSolid())) return;
    pointers.set(event.pointerId, place(event));
    // Without a capture a drag would end at the edge. A pointer made by a script has none.
    if (event.isTrusted) element.setPointerCapture(event.pointerId);
    act.leave();
    if (pointers.size === 1) begin(event);
    else if (gesture) {
      if (gesture.kind === "carry") act.drop();
      act.trace(null);
      gesture.kind = "pinch";
      gesture.still = 0;
    }
  });

  on(element, "pointermove", (event) => {
    const [x, y] = place(event);
    const last = pointers.get(event.pointerId);
    if (!last) {
      if (event.pointerType !== "touch") act.hover(x, y);
      return;
    }
    if (!gesture || gesture.kind === "done") return;
    const { kind, start, still } = gesture;
    if (still && Math.hypot(x - start[0], y - start[1]) < still) return;
    gesture.still = 0;
    pointers.set(event.pointerId, [x, y]);
    element.toggleAttribute("data-dragged", kind !== "trace");
    if (kind === "pinch") pinch(event.pointerId, last, [x, y]);
    else if (kind === "trace") extend(x, y);
    else if (kind === "carry") act.carry(x, y);
    else if (!isPages(event)) act.drag(x - last[0], y - last[1], kind === "alternative");
  });

  function pinch(id, last, now) {
    const other = [...pointers].find(([key]) => key !== id)?.[1];
    if (!other) return;
    const apart = (a) => Math.max(Math.hypot(a[0] - other[0], a[1] - other[1]), 1);
    const middle = [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2];
    act.drag((now[0] - last[0]) / 2, (now[1] - last[1]) / 2, true);
    act.zoom(...middle, apart(now) / apart(last));
  }

  function extend(x, y) {
    const { shape, start } = gesture;
    if (shape === "box") gesture.corners = [...start, x, start[1], x, y, start[0], y];
    else {
      gesture.corners ??= [...start];
      const [lastX, lastY] = gesture.corners.slice(-2);
      if (Math.hypot(x - lastX, y - lastY) >= TRACE_STEP) gesture.corners.push(x, y);
    }
    act.trace(gesture.corners);
  }

  on(element, "pointerup", (event) => {
    if (!pointers.delete(event.pointerId) || !gesture) return;
    element.removeAttribute("data-dragged");
    const { kind, still, corners } = gesture;
    if (pointers.size) {
      gesture.kind = isAwake ? "pan" : "done"; // a finger stays after a pinch
      return;
    }
    gesture = null;
    if (kind === "carry" && !still) return act.drop();
    if (kind === "trace" && corners) return act.traced(corners);
    if (!still || kind === "alternative") return;
    if (event.pointerType === "touch") wake(true);
    act.tap(...place(event), event.pointerType === "touch");
  });

  on(element, "pointercancel", (event) => {
    if (!pointers.delete(event.pointerId) || !gesture) return;
    element.removeAttribute("data-dragged");
    act.trace(null);
    if (gesture.kind === "carry") act.drop();
    if (isPages(event) && pointers.size === 0) act.refused();
    if (pointers.size === 0) gesture = null;
  });

  on(element, "pointerleave", () => act.leave());
  on(element, "contextmenu", (event) => {
    if (act.isSolid()) event.preventDefault();
  });

  // `touch-action` alone would leave two fingers to the page before the map is awake.
  for (const type of ["touchstart", "touchmove"])
    on(
      element,
      type,
      (event) => {
        if (!event.cancelable) return;
        if (event.touches.length > 1 || ((isAwake || act.mode() !== "pan") && type === "touchmove"))
          event.preventDefault();
      },
      { passive: false },
    );

  on(
    element,
    "wheel",
    (event) => {
      const pixels = event.deltaY * (event.deltaMode === 1 ? LINE : 1);
      const factor = Math.exp(-pixels * WHEEL * (event.ctrlKey ? PINCHED : 1));
      // At the end of the zoom the wheel is the page's again.
      if (act.zoom(...place(event), factor) || event.ctrlKey) event.preventDefault();
    },
    { passive: false },
  );

  on(element, "keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const middle = [element.clientWidth / 2, element.clientHeight / 2];
    const { key } = event;
    if (ARROWS[key]) act.step(ARROWS[key], event.shiftKey);
    else if (key === "+" || key === "=") act.zoom(...middle, STEP);
    else if (key === "-" || key === "_") act.zoom(...middle, 1 / STEP);
    else if (key === "0") act.fit();
    else if (key === "Enter" || key === " ") act.pickMiddle();
    else if (key === "Escape") {
      wake(false);
      if (gesture?.kind === "trace") {
        gesture.kind = "done";
        gesture.still = 0;
        act.trace(null);
      } else act.letGo();
    } else return;
    event.preventDefault();
  });

  on(element, "blur", () => wake(false));
  // Its target would not do: from a closed shadow root the document learns only of the root's host.
  on(element.ownerDocument, "pointerdown", (event) => {
    if (event !== own) wake(false);
  });
}
