"""What people see, and only the pages need: Streamlit is imported here, in app.py and in pages/."""
