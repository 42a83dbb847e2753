"""Overview: what this is, the loaded model at a glance, and one digit's way through it."""

import streamlit as st

from vaegmm import ui

model = ui.page("Overview", ":material/blur_on:")
st.title("Digits, compressed and clustered")
if model is None:
    ui.stop_without_model()
images, caption = ui.dataset(model)
st.caption(caption)
