// Puts a part that runs by itself into Streamlit's page: fetches the model, once for all pages, and
// the part's module, and lets it keep its view in the address and for the session.

const MOUNTED = new WeakMap(); // one an element: the renderer below runs at every change of data
const MODELS = (globalThis.vaegmmModels ??= new Map()); // address -> promise of a Model
const CREATE = { explorer: "createExplorer", overview: "createOverview" };

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".in-page");
  const shown = MOUNTED.get(parentElement);
  if (shown?.model === data.model && shown.part === data.part) return shown.end;
  shown?.end();
  const mounted = { model: data.model, part: data.part, isOver: false, view: null };
  mounted.end = () => {
    mounted.isOver = true;
    mounted.view?.destroy();
    MOUNTED.delete(parentElement);
  };
  MOUNTED.set(parentElement, mounted);
  show(root, data, mounted).catch((error) => {
    if (mounted.isOver) return;
    root.textContent = `This cannot be shown: ${error.message} Reload the page to try again.`;
  });
  return mounted.end;
}

async function show(root, data, mounted) {
  root.textContent = "Fetching the model …";
  const [part, model, options] = await Promise.all([
    import(data.module),
    modelAt(data),
    OPTIONS[data.part](data),
    styled(root, data),
  ]);
  if (mounted.isOver) return;
  root.textContent = "";
  mounted.view = part[CREATE[data.part]](root, { model, ...options });
}

function modelAt({ model, modelModule }) {
  if (!MODELS.has(model)) {
    const opening = fetched(model, modelModule);
    opening.catch(() => MODELS.delete(model)); // the next visit tries again
    MODELS.set(model, opening);
  }
  return MODELS.get(model);
}

async function fetched(address, modelModule) {
  const [{ Model }, blob] = await Promise.all([import(modelModule), bytesAt(address)]);
  return Model.from(blob);
}

async function bytesAt(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error("The server has no such model any more.");
  return response.arrayBuffer();
}

/** Wait for the part's style, so that nothing is seen without it. */
function styled(root, { style }) {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = style;
  return new Promise((resolve, reject) => {
    link.onload = resolve;
    link.onerror = () => reject(new Error("Its style could not be fetched."));
    root.parentNode.prepend(link);
  });
}

const OPTIONS = {
  explorer: async ({ images, truth }) => ({
    images: images && { url: (sheet) => `${images}${sheet}.png` },
    truth: truth && new Uint8Array(await bytesAt(truth)),
    ...viewOf("explorer"),
  }),
  overview: async () => ({}),
};

/** A view that stands in the address, and comes back when its page does. */
function viewOf(part) {
  const key = `vaegmm-${part}`;
  return {
    view: location.hash.slice(1) || sessionStorage.getItem(key) || "",
    onView: (view) => {
      sessionStorage.setItem(key, view);
      history.replaceState(history.state, "", `${location.pathname}${location.search}#${view}`);
    },
  };
}
