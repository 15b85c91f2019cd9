"""How encoders are made: `python -m embed.train static|student --data DIR --out DIR`.

`static` makes the encoder of `embed/model/`; `student` the transformer; `measure` measures both.
"""
