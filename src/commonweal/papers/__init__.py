"""Social capital: what is measured, small areas from surveys, trust as wealth, places that don't matter.

Each subject is a folder of its own: `framework`, `surveys`, `small_areas`, `neighbourhoods`, `wealth`,
`discontent`.
"""
