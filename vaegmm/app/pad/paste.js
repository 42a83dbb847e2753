// A place to paste a picture: its bytes go to Python as a data URL.

export default function ({ parentElement, data, setStateValue }) {
  const place = parentElement.querySelector(".paste");
  place.textContent = data.label;
  place.onpaste = (event) => {
    const items = [...(event.clipboardData?.items ?? [])];
    const file = items.find((item) => item.type.startsWith("image/"))?.getAsFile();
    event.preventDefault();
    if (!file) {
      place.textContent = "There is no picture on the clipboard.";
      return;
    }
    if (file.size > data.mostBytes) {
      place.textContent = `The picture must have at most ${data.mostBytes / 1e6} MB.`;
      return;
    }
    const reader = new FileReader();
    reader.onload = () => setStateValue("picture", reader.result);
    reader.readAsDataURL(file);
  };
}
