"""The model in the page: its parameters as one blob, and the JavaScript that computes with them."""
