// The drawing pad. It holds the strokes, in units of its height, and tells Python of them at the
// end of each. What Python says of them counts when the pad appears: later, the hand is ahead.

const PADS = new WeakMap(); // one an instance: the renderer below runs at every change of data
const MOST_POINTS = 20000;
const LEAST_STEP = 0.002; // points nearer than this to the last one say nothing new

export default function ({ parentElement, data, setStateValue, setTriggerValue }) {
  let pad = PADS.get(parentElement);
  if (!pad) {
    pad = { strokes: structuredClone(data.strokes), current: null, pointer: null, width: 4.5 };
    PADS.set(parentElement, pad);
  }
  const root = parentElement.querySelector(".pad");
  const canvas = root.querySelector("canvas");
  const [undo, clear] = ["undo", "clear"].map((name) => root.querySelector(`[name=${name}]`));
  const width = root.querySelector("[name=width]");
  const hint = root.querySelector(".hint");
  
  canvas.style.aspectRatio = `${data.aspect}`;
  canvas.setAttribute("aria-label", data.label);
  hint.textContent = data.hint;
  width.value = pad.width;

  function draw() {
    const ratio = window.devicePixelRatio || 1;
    const box = canvas.getBoundingClientRect();
    if (!box.width) return;
    const size = [Math.round(box.width * ratio), Math.round(box.height * ratio)];
    if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
    const context = canvas.getContext("2d");
    const unit = canvas.height;
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.strokeStyle = context.fillStyle = getComputedStyle(root).color;
    context.lineWidth = (pad.width / 100) * unit;
    context.lineCap = context.lineJoin = "round";
    const strokes = pad.current ? [...pad.strokes, pad.current] : pad.strokes;
    for (const stroke of strokes) {
      const [first, ...rest] = stroke.map(([x, y]) => [x * unit, y * unit]);
      context.beginPath();
      if (!rest.length) {
        context.arc(...first, context.lineWidth / 2, 0, 2 * Math.PI);
        context.fill();
        continue;
      }
      context.moveTo(...first);
      for (const point of rest) context.lineTo(...point);
      context.stroke();
    }
    const isBlank = strokes.length === 0;
    hint.style.visibility = isBlank ? "visible" : "hidden";
    undo.disabled = clear.disabled = isBlank;
  }

  function place(event) {
    const box = canvas.getBoundingClientRect();
    const round = (value) => Math.round(value * 1e4) / 1e4;
    return [round((event.clientX - box.left) / box.height), round((event.clientY - box.top) / box.height)];
  }

  function extend(point) {
    const [x, y] = pad.current[pad.current.length - 1];
    if (Math.hypot(point[0] - x, point[1] - y) >= LEAST_STEP) pad.current.push(point);
  }

  function change(strokes) {
    pad.strokes = strokes;
    draw();
    setStateValue("strokes", strokes);
  }

  function end(event) {
    if (event.pointerId !== pad.pointer) return;
    const stroke = pad.current;
    pad.current = pad.pointer = null;
    if (stroke) change([...pad.strokes, stroke]);
  }

  canvas.onpointerdown = (event) => {
    // A second finger, or another button than the first, does not draw.
    if (pad.pointer !== null || (event.pointerType === "mouse" && event.button !== 0)) return;
    event.preventDefault();
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    pad.pointer = event.pointerId;
    pad.current = [place(event)];
    draw();
  };
  canvas.onpointermove = (event) => {
    if (event.pointerId !== pad.pointer || !pad.current) return;
    const events = event.getCoalescedEvents?.() ?? [];
    const drawn = pad.strokes.reduce((sum, stroke) => sum + stroke.length, pad.current.length);
    if (drawn < MOST_POINTS) for (const each of events.length ? events : [event]) extend(place(each));
    draw();
  };
  canvas.onpointerup = canvas.onpointercancel = canvas.onlostpointercapture = end;
  canvas.oncontextmenu = (event) => event.preventDefault();
  undo.onclick = () => change(pad.strokes.slice(0, -1));
  clear.onclick = () => change([]);
  width.oninput = () => {
    pad.width = Number(width.value);
    draw();
  };
  root.onkeydown = (event) => {
    const isUndo = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
    if (event.target === width || !pad.strokes.length) return;
    if (isUndo) undo.onclick();
    else if (event.key === "Delete" || event.key === "Backspace") clear.onclick();
    else if (event.key === "Enter" && event.target === canvas) setTriggerValue("kept", true);
    else return;
    event.preventDefault();
  };

  if (!pad.observer) {
    pad.observer = new ResizeObserver(() => pad.draw());
    pad.observer.observe(canvas);
  }
  pad.draw = draw; // with this run's colours
  draw();
  return () => {
    pad.observer.disconnect();
    PADS.delete(parentElement);
  };
}
