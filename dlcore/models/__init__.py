"""Networks, as plain torch modules. Importing a module here imports torch."""
