"""N-gram models over dicts of tuples, straight from the formulas."""

import math
from collections import Counter

START, END, UNKNOWN = "<s>", "</s>", "<unk>"


class Brute:
    """Interpolated probabilities, by recursion over shorter histories."""

    def __init__(self, sequences, order, smoothing):
        self.order = order
        raw = Counter()
        for sequence in sequences:
            units = [START, *sequence, END]
            for end in range(1, len(units)):
                for start in range(max(0, end - order + 1), end + 1):
                    raw[tuple(units[start : end + 1])] += 1
        self.units = sorted({gram[-1] for gram in raw}, key=str)
        counts = raw
        if smoothing == "kneser_ney":
            left = Counter(gram[1:] for gram in raw if len(gram) > 1)
            keeps = [g for g in raw if len(g) == order or g[0] == START]
            counts = {**left, **{gram: raw[gram] for gram in keeps}}
        self.counts = {g: n for g, n in counts.items() if g != (START,)}
        self.after = {}
        for gram, n in self.counts.items():
            self.after.setdefault(gram[:-1], {})[gram[-1]] = n
        self.discounts = [
            self._discounts(length, smoothing) for length in range(1, order + 1)
        ]

    def _discounts(self, length, smoothing):
        """Of counts 1, 2 and more; None for Witten-Bell."""
        found = Counter(n for gram, n in self.counts.items() if len(gram) == length)
        if smoothing != "kneser_ney" or not all(found[n] for n in (1, 2, 3)):
            return None
        share = found[1] / (found[1] + 2 * found[2])
        discounts = [n - (n + 1) * share * found[n + 1] / found[n] for n in (1, 2, 3)]
        return discounts if min(discounts) >= 0 else None

    def prob(self, unit, history):
        """Of a unit after some, of which the last `order` - 1 matter."""
        n_used = min(len(history), self.order - 1)
        return self._prob(unit, tuple(history[len(history) - n_used :]))

    def _prob(self, unit, history):
        n_units = len(self.units) + 1  # with what is unknown
        lower = self._prob(unit, history[1:]) if history else 1 / n_units
        found = self.after.get(history)
        if not found:
            return lower
        n, total = found.get(unit, 0), sum(found.values())
        discounts = self.discounts[len(history)]
        if discounts is None:
            return (n + len(found) * lower) / (total + len(found))
        off = {u: discounts[min(m, 3) - 1] for u, m in found.items()}
        return (n - off.get(unit, 0) + sum(off.values()) * lower) / total

    def log_prob(self, sequence):
        """Of a sequence with its end."""
        units = [START, *sequence, END]
        return sum(
            math.log(self.prob(units[i], units[max(0, i - self.order + 1) : i]))
            for i in range(1, len(units))
        )


class Backoff:
    """An ARPA file as dicts, and probabilities by the definition of back-off."""

    def __init__(self, text):
        self.probs, self.weights, length = {}, {}, None
        for line in text.splitlines():
            if line.startswith("\\") and "-grams" in line:
                length = int(line[1 : line.index("-")])
            elif length and line.strip() and not line.startswith("\\"):
                fields = line.split()
                gram = tuple(fields[1 : length + 1])
                self.probs[gram] = float(fields[0])
                if len(fields) > length + 1:
                    self.weights[gram] = float(fields[-1])
        self.order = length

    def log10(self, gram):
        if gram in self.probs:
            return self.probs[gram]
        if len(gram) == 1:
            return self.probs.get(("<unk>",), -math.inf)
        return self.weights.get(gram[:-1], 0.0) + self.log10(gram[1:])

    def log_prob(self, sequence):
        units = [u if (u,) in self.probs else "<unk>" for u in sequence]
        units = ["<s>", *units, "</s>"]
        total = sum(
            self.log10(tuple(units[max(0, i - self.order + 1) : i + 1]))
            for i in range(1, len(units))
        )
        return total * math.log(10)
