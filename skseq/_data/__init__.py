"""What users hold, turned into checked sequences, ids and padded batches, and back.

NumPy and scikit-learn only: nothing here knows of Keras, of networks or of estimators.
Tasks import what they need from its modules.
"""
