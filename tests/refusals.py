"""What is wrong with how calls are refused, listed for all of them at once."""

import re


def complaint(estimator, use, error, pattern):
    """What is wrong with how a call is refused, if anything is."""
    before = {name: id(value) for name, value in vars(estimator).items()}
    try:
        use()
    except error as refusal:
        if not re.search(pattern, str(refusal)):
            return f"says {str(refusal)!r} and not {pattern!r}"
    except Exception as refusal:
        return f"raises {refusal!r} and not {error}"
    else:
        return "is accepted"
    if {name: id(value) for name, value in vars(estimator).items()} != before:
        return "changes the estimator"
    return None


def complaints(estimator, calls):
    """The complaints about calls: (description, function, error, pattern) each."""
    found = {what: complaint(estimator, *call) for what, *call in calls}
    return {what: text for what, text in found.items() if text}
