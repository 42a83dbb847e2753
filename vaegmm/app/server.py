"""What the server does before the first visitor comes, so that nobody waits for it."""

from __future__ import annotations

import asyncio
import gc
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import streamlit as st
import torch

from vaegmm.app import cached, choice, routes
from vaegmm.app.permission import is_public
from vaegmm.checkpoint import CheckpointError
from vaegmm.reading import read_image
from vaegmm.runs import RunError, queue


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """Load in the background while the server begins to answer; see `streamlit.App`."""
    # Many scripts run at once: several threads for one product would wait for each other. A
    # training is a process of its own and takes what there is.
    torch.set_num_threads(1)
    if is_public():
        st.set_option("client.showErrorDetails", "none")  # they name files of this machine
    loading = asyncio.gather(asyncio.to_thread(_load), asyncio.to_thread(_start_waiting_runs))
    if not st.get_option("server.headless"):  # what `streamlit run` does for a plain script only
        address = f"http://localhost:{st.get_option('server.port')}"
        asyncio.get_running_loop().call_soon(webbrowser.open, address)
    yield
    await loading


@st.cache_resource(show_spinner=False)  # there is no page to show the spinners of what it calls
def _load() -> None:
    """Load the model that a visitor sees first, answer once, and take all of it from the collector.

    Streamlit collects garbage at the end of every run of a script, which looks at every object
    there is: with torch and plotly loaded a third of a second, in which nobody else is served.
    Frozen objects are not looked at; they are still freed when nothing refers to them. A second
    model adds 350 objects to 450,000, so that this is done once.
    """
    path = choice.first_checkpoint()
    if path is not None:
        with suppress(CheckpointError):  # the page says what is wrong with it
            model = cached.load_model(path)
            if model.names is not None:
                read_image(model, model.decode(model.pca.mean)[0])
            routes.blob_of(model)
    gc.collect()  # or garbage would be kept
    gc.freeze()


def _start_waiting_runs() -> None:
    with suppress(RunError):  # a folder that cannot be written has no queue
        queue.ensure()
