// Elements of a page. What they say is text, whatever it holds, and never markup.

/**
 * Make an element.
 *
 * @param {string} tag
 * @param {object} attributes  functions listen to the event of their name ("onclick"); true is an
 *   empty attribute; null, undefined and false are left out
 * @param {...(Node | string | null | false | Array)} children
 * @returns {HTMLElement}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined)
      element.setAttribute(name, value);
  }
  element.append(...children.flat(2).filter((child) => child !== null && child !== false));
  return element;
}

/** Make a button that is one and not a form's. */
export function makeButton(text, onclick, attributes = {}) {
  return make("button", { type: "button", onclick, ...attributes }, text);
}

/** Make a list of choices: `{value: title}` in order; `onChange(value)`. */
export function makeSelect(label, onChange) {
  const select = make("select", { "aria-label": label, onchange: () => onChange(select.value) });
  return select;
}

/** Put other choices into a select, only where they are others: an open list would close. */
export function setChoices(select, choices, value) {
  const wanted = Object.entries(choices);
  const isSame =
    select.options.length === wanted.length &&
    wanted.every(([key, title], i) => {
      const option = select.options[i];
      return option.value === key && option.textContent === title;
    });
  if (!isSame)
    select.replaceChildren(...wanted.map(([key, title]) => make("option", { value: key }, title)));
  select.value = value;
}

/** Let a person keep bytes or text as a file. */
export function download(within, name, content, type) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = make("a", { href: address, download: name, hidden: true });
  within.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // the browser reads it in its own time
}
