"""What a person may do to a data folder: keys, models, their order, profiles. The command line and plugins share it."""
