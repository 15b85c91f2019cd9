"""How the encoder of `embed/model/` is made: `python -m embed.train --data DIR --out DIR`."""
