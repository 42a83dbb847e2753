"""What can be done with a training: stop, resume, load, download, delete."""

from __future__ import annotations

import streamlit as st

from vaegmm.app.choice import choose_checkpoint
from vaegmm.runs import Run, command_of


def offer_actions(run: Run, is_active: bool) -> None:
    """Offer what can be done with a run in its state.

    Raises:
        RunError: if it cannot be done.
    """
    with st.container(horizontal=True):
        if is_active:
            if st.button("Stop", icon=":material/stop:", key="stop"):
                run.stop()
                st.rerun()
            return
        if run.is_finished:
            if st.button(
                "Load",
                type="primary",
                icon=":material/check:",
                on_click=choose_checkpoint,
                args=[run.model_path],
                key="load",
            ):
                st.toast("Every page shows this model now.", icon=":material/check:")
            st.download_button(
                "Download",
                run.model_path.read_bytes,
                file_name=f"{run.name}.safetensors",
                icon=":material/download:",
                on_click="ignore",
                key="download",
            )
        elif st.button("Resume", type="primary", icon=":material/play_arrow:", key="resume"):
            run.launch()
            st.rerun()
        with st.popover("Delete", icon=":material/delete:"):
            st.markdown(f"Delete **{run.name}** with its model? There is no way back.")
            if st.button("Delete it", icon=":material/delete_forever:", key="delete"):
                run.delete()
                st.rerun()
        with st.popover("Command", icon=":material/terminal:"):
            st.markdown("The same training from the command line:")
            st.code(command_of(run), language="bash", wrap_lines=True)
