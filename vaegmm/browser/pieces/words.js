// How numbers and names are said: as on every page of the app.

const BILLION = 1e9; // shares are decimal numbers to this many parts: 0.7815 is not below itself

/**
 * Say a share in [0, 1] in per cent, halves rounded up: 0.7815 is "78.2 %".
 *
 * @param {number} value
 * @param {number} digits  after the point
 */
export function share(value, digits = 1) {
  const unit = 10 ** (7 - digits);
  const units = Math.floor((Math.round(value * BILLION) + unit / 2) / unit);
  return `${(units / 10 ** digits).toFixed(digits)} %`;
}

/** Say a number with so many digits after the point. */
export function decimal(value, digits = 2) {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

/** Say a count: "55,000". */
export function countOf(n, noun = "") {
  const number = n.toLocaleString("en-US");
  if (!noun) return number;
  return `${number} ${n === 1 ? noun : `${noun}s`}`;
}

/** What a label is: digits are called so, others are labels. */
export function nounOf(model) {
  return model.labelNames.every((name) => /^\d$/.test(name)) ? "digit" : "label";
}

/** What a label is called. */
export function labelTitle(model, label) {
  return label >= 0 ? model.labelNames[label] : "unnamed";
}

/**
 * Say one verdict of a reading: no certainty where it is no digit.
 *
 * @param {Model} model  its components have names
 * @param {object} said  probabilities (C,), typicality and verdict
 * @returns {{title: string, sure: string, note: string}}
 */
export function sayVerdict(model, { probabilities, typicality, verdict }) {
  const order = Array.from(probabilities.keys());
  const [first, second] = order.sort((one, other) => probabilities[other] - probabilities[one]);
  const name = labelTitle(model, first);
  const noun = nounOf(model);
  const sure = share(probabilities[first]);
  switch (verdict) {
    case "off the pad":
      return { title: `${name}?`, sure: "", note: "It runs off the pad. Draw it smaller." };
    case "strange":
      return { title: `${name}?`, sure: "", note: `This doesn't look like a ${noun}.` };
    case "unsure": {
      const other = `${labelTitle(model, second)} is ${share(probabilities[second])}`;
      return { title: name, sure, note: `Not sure: ${other}.` };
    }
    default: {
      const note = `more typical than ${share(typicality)} of what it learned from`;
      return { title: name, sure, note };
    }
  }
}

/** What a component is called, such as "7 (cluster 31)". */
export function componentTitle(model, component) {
  const label = model.componentNames[component];
  return label >= 0 ? `${model.labelNames[label]} (cluster ${component})` : `cluster ${component}`;
}
