"""Official recipes, as data: one YAML file each, with its publication."""
