// Puts the pad (vaegmm/browser/pieces/pad.js) into Streamlit's page, and tells Python of the strokes at the
// end of each. What Python says of them counts when the pad appears: later, the hand is ahead.

const PADS = new WeakMap(); // one an instance: the renderer below runs at every change of data

export default function ({ parentElement, data, setStateValue: tell }) {
  const shown = PADS.get(parentElement);
  if (shown) {
    shown.tell = tell;
    return shown.end;
  }
  const mounted = { tell, pad: null, isOver: false };
  mounted.end = () => {
    mounted.isOver = true;
    mounted.pad?.destroy();
    PADS.delete(parentElement);
  };
  PADS.set(parentElement, mounted);
  const root = parentElement.querySelector(".place");
  import(new URL(data.module, document.baseURI).href)
    .then(({ createPad }) => {
      if (mounted.isOver) return;
      const { strokes, aspect, label, hint } = data;
      mounted.pad = createPad(root, {
        ...{ strokes, aspect, label, hint },
        onEnd: (drawn) => mounted.tell("strokes", drawn),
      });
    })
    .catch(() => {
      root.textContent = "The pad could not be fetched. Reload the page to try again.";
    });
  return mounted.end;
}
