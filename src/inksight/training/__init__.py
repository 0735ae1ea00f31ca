"""Data, network and recipe to a model; fine-tuning; calibration; the scikit-learn estimator."""
