"""An upstream that misbehaves on demand."""
