// The card of one component: what it looks like, what it is called, who belongs to it, who is near.

import { bhattacharyya } from "../model/overlap.js";
import { leading } from "../model/scores.js";
import { asCss, colourOf } from "../pieces/colours.js";
import { make, makeButton } from "../pieces/elements.js";
import { makePicture, paint } from "../pieces/pictures.js";
import { createPlaceMap } from "../pieces/placemap.js";
import { componentTitle, countOf, labelTitle, nounOf, share } from "../pieces/words.js";
import { membersOf } from "./members.js";

const N_MEMBERS = 8; // that are shown, of either kind
const N_NEAR = 5;
const MOST_BARS = 4;
const LEAST_SHARE = 0.005; // of a label that is shown

/**
 * @param {HTMLElement} element
 * @param {object} options  model, sheets (or null), colours (K), onOpen(component), and onMembers
 *   and onEdit as for `createComponents`
 * @returns {{show: (component: number, ink: number[]) => void, refresh: (ink: number[]) => void,
 *   destroy: () => void}}
 */
export function createCard(element, { model, sheets, colours, onOpen, onMembers, onEdit }) {
  const title = make("h3");
  const facts = make("p");
  const mean = makePicture("The middle of the cluster, decoded");
  const bars = make("ol", { class: "bars" });
  const typical = make("div", { class: "tiles" });
  const strange = make("div", { class: "tiles" });
  const near = make("div", { class: "tiles near" });
  const ground = make("div", { class: "map-of" });
  const edits = make("div", { class: "edits" });
  const least = part("Least typical of it", strange);
  element.append(
    make("header", {}, mean, make("div", {}, title, facts, bars)),
    edits,
    ground,
    part("Most typical of it", typical),
    least,
    part("Nearest clusters, by overlap", near),
  );
  const map = createPlaceMap(ground, { model });
  const pictures = []; // [canvas, pixels()]: painted again when images come or the theme changes

  function show(k, ink) {
    pictures.length = 0;
    title.replaceChildren(
      make("i", { class: "swatch", style: `background: ${asCss(colours[k])}` }),
      model.componentNames[k] < 0 ? `Cluster ${k}` : componentTitle(model, k),
    );
    const members = membersOf(model, k);
    facts.replaceChildren(
      `${share(model.weights[k])} of the images; ` +
        `${countOf(members.length)} of ${countOf(model.latents.length)} lie in it. `,
      onMembers
        ? makeButton("See them on the map", () => onMembers(k), { class: "link" })
        : "",
    );
    pictures.push([mean, () => model.decode(meanOf(k))]);
    showBars(k);
    const [first, last] = [members.slice(0, N_MEMBERS), members.slice(N_MEMBERS).slice(-N_MEMBERS)];
    sheets?.want([...first, ...last].map((index) => model.latents.row(index)));
    typical.replaceChildren(...first.map(member));
    least.hidden = !last.length;
    strange.replaceChildren(...last.reverse().map(member));
    showNear(k);
    showEdits(k);
    map.light(k);
    refresh(ink);
  }

  function refresh(ink) {
    for (const [canvas, pixels] of pictures) paint(canvas, pixels(), ink);
  }

  function meanOf(k) {
    return model.means.subarray(k * model.dimension, (k + 1) * model.dimension);
  }

  function showBars(k) {
    bars.hidden = !model.names;
    if (!model.names) return;
    const n = model.labelNames.length;
    const p = model.names.labelGivenComponent.subarray(k * n, (k + 1) * n);
    bars.replaceChildren(
      ...leading(p, MOST_BARS)
        .filter((c, rank) => rank === 0 || p[c] >= LEAST_SHARE)
        .map((c) =>
          make(
            "li",
            { style: `--share: ${p[c]}; --colour: ${asCss(colourOf(c))}` },
            make("span", { class: "name" }, labelTitle(model, c)),
            make("span", { class: "track" }, make("i")),
            make("span", { class: "value" }, share(p[c])),
          ),
        ),
    );
    bars.setAttribute("aria-label", `p(${nounOf(model)} | cluster)`);
  }

  function member(index) {
    const picture = makePicture(`image ${countOf(model.latents.row(index))}`);
    const { dimension, latents } = model;
    const z = latents.z.subarray(index * dimension, (index + 1) * dimension);
    pictures.push([picture, () => sheets?.image(latents.row(index)) ?? model.decode(z)]);
    const figure = make("figure", { tabindex: "0" }, picture);
    figure.addEventListener("pointerenter", () => map.show(z, true));
    figure.addEventListener("focus", () => map.show(z, true));
    figure.addEventListener("pointerleave", () => map.show(null));
    figure.addEventListener("blur", () => map.show(null));
    return figure;
  }

  function showNear(k) {
    const overlaps = bhattacharyya(model, k);
    overlaps[k] = -1;
    const others = leading(overlaps, N_NEAR).filter((other) => other !== k);
    near.parentElement.hidden = !others.length;
    near.replaceChildren(
      ...others.map((other) => {
        const picture = makePicture();
        pictures.push([picture, () => model.decode(meanOf(other))]);
        const name = componentTitle(model, other);
        const card = makeButton("", () => onOpen(other), { title: `Open ${name}` });
        card.append(picture, make("span", {}, name), make("small", {}, share(overlaps[other])));
        const merge = () => onEdit({ what: "merge", components: [k, other] });
        const title = `Make one cluster of ${k} and ${other}`;
        return make("div", {}, card, onEdit && makeButton("Merge", merge, { title }));
      }),
    );
  }

  function showEdits(k) {
    edits.hidden = !onEdit;
    if (!onEdit) return;
    const rename = make(
      "select",
      {
        "aria-label": "What this cluster is called",
        onchange: () => onEdit({ what: "rename", component: k, label: Number(rename.value) }),
      },
      model.labelNames.map((name, label) => make("option", { value: label }, name)),
      make("option", { value: -1 }, "nothing"),
    );
    rename.value = String(model.componentNames[k]);
    const split = makeButton("Split in two", () => onEdit({ what: "split", component: k }), {
      title: "Let EM find two halves of this cluster",
    });
    edits.replaceChildren(...(model.names ? [make("label", {}, "Call it ", rename)] : []), split);
  }

  return {
    show,
    refresh,
    destroy: () => map.destroy(),
  };
}

function part(title, content) {
  return make("section", {}, make("h4", {}, title), content);
}
