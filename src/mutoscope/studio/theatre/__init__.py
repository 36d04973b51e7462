"""The paper theatre: what a prompt's nouns are shown as. Flat figures of cut paper, one sheet over the other.

`words` knows the nouns, `casting` reads a prompt's cast, `figures` (with `people` and `beasts`) draws by rules,
`icons` knows an installed package of shapes, `sets` paints what stands behind, `staging` places the cast, `puppet`
cuts the paper and lights it, `moving` makes it act in clips, `lettering` sets type. Nothing in it is a likeness.
"""
