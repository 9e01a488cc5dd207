"""Area systems and their links, as data: one YAML file a country."""
