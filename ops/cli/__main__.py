"""``python -m ops.cli``: how the stack starts its own processes."""

from ops.cli import app

if __name__ == "__main__":
    app()
