// Puts a part that runs by itself into Streamlit's page: fetches the model, once for all pages, and
// the part's module, and lets it keep its view in the address and for the session.

const MOUNTED = new WeakMap(); // one an element: the renderer below runs at every change of data
const MODELS = (globalThis.vaegmmModels ??= new Map()); // address -> promise of a Model

export default function ({ parentElement, data, setStateValue, setTriggerValue }) {
  const tell = { value: setStateValue, once: setTriggerValue };
  const shown = MOUNTED.get(parentElement);
  if (shown?.model === data.model && shown.part === data.part) {
    Object.assign(shown, { data, tell });
    shown.view?.update?.(data);
    return shown.end;
  }
  shown?.end();
  const root = parentElement.querySelector(".in-page");
  const mounted = { model: data.model, part: data.part, data, tell, isOver: false, view: null };
  mounted.end = () => {
    mounted.isOver = true;
    mounted.view?.destroy();
    MOUNTED.delete(parentElement);
  };
  MOUNTED.set(parentElement, mounted);
  // This script has an address of its own kind, which others cannot be relative to.
  const files = new URL(data.files, document.baseURI).href;
  show(root, { ...data, files }, mounted).catch((error) => {
    if (mounted.isOver) return;
    root.textContent = `This cannot be shown. ${error.message} Reload the page to try again.`;
  });
  return mounted.end;
}

async function show(root, data, mounted) {
  root.textContent = data.model ? "Fetching the model …" : "";
  const { part, files } = data;
  const [create, model] = await Promise.all([
    PARTS[part](data),
    data.model && modelAt(data),
    STYLES[part] && styled(root, `${files}${STYLES[part]}.css`),
  ]);
  if (mounted.isOver) return;
  root.textContent = "";
  root.dataset.part = part;
  mounted.view = create(root, model, mounted);
  mounted.view.update?.(mounted.data); // it may have changed meanwhile
}

function modelAt({ model, files }) {
  if (!MODELS.has(model)) {
    const opening = fetched(model, files);
    opening.catch(() => MODELS.delete(model)); // the next visit tries again
    MODELS.set(model, opening);
  }
  return MODELS.get(model);
}

async function fetched(address, files) {
  const [{ Model }, blob] = await Promise.all([import(`${files}all.js`), bytesAt(address)]);
  return Model.from(blob);
}

async function bytesAt(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error("The server has no such model any more.");
  return response.arrayBuffer();
}

function fromBase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** Let the address name what is open, so that it can be handed on. */
function keepInAddress(name, value) {
  const address = new URL(location.href);
  address.searchParams.set(name, value);
  history.replaceState(history.state, "", address);
}

/** Wait for the part's style, so that nothing is seen without it. */
function styled(root, address) {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = address;
  return new Promise((resolve, reject) => {
    link.onload = resolve;
    link.onerror = () => reject(new Error("Its style could not be fetched."));
    root.parentNode.prepend(link);
  });
}

/** The style sheets of the parts that have one. */
const STYLES = {
  ...{ draw: "draw", em: "em", explorer: "explorer", overview: "overview" },
  photo: "photo",
  ...{ components: "components", confusion: "components", trainings: "trainings" },
};

/** For each part a promise of a function that puts it into an element; `mounted.tell` tells Python. */
const PARTS = {
  async em({ files, truth }) {
    const [{ createEm }, labels] = await Promise.all([
      import(`${files}all.js`),
      truth && bytesAt(truth),
    ]);
    return (element, model, mounted) => {
      const em = createEm(element, {
        model,
        truth: labels && new Uint8Array(labels),
        onFit: (start) => mounted.tell.once("fit", start),
      });
      let shown;
      const update = async ({ fit, title }) => {
        if (fit === shown) return;
        shown = fit;
        const data = fit && (await bytesAt(fit));
        if (fit === shown) em.setFit(data, title);
      };
      return { update, destroy: () => em.destroy() };
    };
  },
  async confusion({ files, images, truth, predicted, confidence }) {
    const { createConfusion } = await import(`${files}all.js`);
    const tested = { truth: fromBase64(truth), predicted: fromBase64(predicted) };
    tested.confidence = confidence && fromBase64(confidence);
    const url = (sheet) => `${images}${sheet}.png`;
    return (element, model) => createConfusion(element, { model, tested, images: { url } });
  },
  async components({ files, images, component, mapKeptAs }) {
    const { createComponents } = await import(`${files}all.js`);
    return (element, model, mounted) => {
      const components = createComponents(element, {
        model,
        images: images && { url: (sheet) => `${images}${sheet}.png` },
        component,
        onOpen: (k) => keepInAddress("cluster", k),
        onMembers: (k) => {
          sessionStorage.setItem(mapKeptAs, `find*cluster*${k}`); // what the map will show
          mounted.tell.once("page", "map");
        },
        onEdit: (change) => mounted.tell.once("edit", change),
      });
      return { destroy: () => components.destroy() };
    };
  },
  async trainings({ files, runs, plays }) {
    const { createTrainings } = await import(`${files}all.js`);
    return (element) => createTrainings(element, { runs, plays });
  },
  async overview({ files }) {
    const { createOverview } = await import(`${files}all.js`);
    return (element, model, mounted) => {
      const onCluster = (component) => mounted.tell.once("cluster", component);
      return createOverview(element, { model, onCluster });
    };
  },
  async draw({ files, keptAs, source }) {
    const { createDraw, storageIn } = await import(`${files}all.js`);
    return (element, model, mounted) => {
      const draw = createDraw(element, {
        ...{ model, source },
        storage: storageIn(() => sessionStorage, keptAs), // of this tab: hands are apart
        onStrokes: (strokes) => mounted.tell.value("strokes", strokes),
        onHand: (hand) => mounted.tell.once("hand", hand),
        onCluster: (component) => mounted.tell.once("cluster", component),
      });
      let shown = source;
      return {
        update({ revision, source: wanted }) {
          draw.tellHand(revision); // a server that has begun anew knows nothing of the hand
          if (wanted !== shown) draw.source = shown = wanted;
        },
        destroy: () => draw.destroy(),
      };
    };
  },
  async photo({ files }) {
    const { createPhoto, inkOf } = await import(`${files}all.js`);
    return (element, model) => {
      let [shown, photo] = [null, null];
      const update = async ({ photo: address, boxes, sheet, ...sent }) => {
        if (address === shown) return;
        shown = address;
        const ink = await inkOf(sent);
        if (address !== shown) return; // another one is there already
        photo?.destroy();
        photo = createPhoto(element, { model, address, ink, boxes, sheet });
      };
      const destroy = () => {
        shown = null;
        photo?.destroy();
      };
      return { update, destroy };
    };
  },
  async explorer({ files, images, truth, view: first, keptAs }) {
    const [{ createExplorer, fromAddress, toAddress }, labels] = await Promise.all([
      import(`${files}all.js`),
      truth && bytesAt(truth),
    ]);
    return (element, model, mounted) => {
      // A view stands in the address, and is there again when one comes back to the page.
      const { pathname } = location;
      const address = location.hash.slice(1) || (sessionStorage.getItem(keptAs) ?? first);
      const keep = (view) => {
        const next = toAddress(view);
        sessionStorage.setItem(keptAs, next);
        if (location.pathname !== pathname) return; // the next page is on its way
        const at = `${pathname}${location.search}`;
        history.replaceState(history.state, "", next ? `${at}#${next}` : at);
      };
      const explorer = createExplorer(element, {
        model,
        images: images && { url: (sheet) => `${images}${sheet}.png` },
        truth: labels && new Uint8Array(labels),
        view: fromAddress(address),
        onView: keep,
        onCluster: (component) => mounted.tell.once("cluster", component),
      });
      keep(explorer.view);
      // Of the event: by now an older view, which has just come to rest, may be in the address.
      const follow = ({ newURL }) => {
        explorer.view = fromAddress(new URL(newURL).hash.slice(1));
      };
      addEventListener("hashchange", follow);
      const destroy = () => {
        removeEventListener("hashchange", follow);
        explorer.destroy();
      };
      return { destroy };
    };
  },
};
