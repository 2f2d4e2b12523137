"""The reader as an app in the browser: its server, files and signed updates, and a browser that tries it"""
