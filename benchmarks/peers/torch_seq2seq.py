"""Translation in PyTorch, written by hand to be fast on a CPU.

The network of `Seq2SeqTranslator`, over token ids. It is fast for these reasons:
batches have nearly equal lengths and are padded once; nothing is packed, so that oneDNN
runs each recurrence in one call; attention is computed for all target tokens at once;
targets are indices; the optimizer is fused; and decoding runs in batches without
gradients, with the keys of attention computed once per source.
"""

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy, log_softmax
from torch.nn.utils.rnn import pad_sequence

IGNORED = -100


class Network(nn.Module):
    """A bidirectional LSTM, an LSTM, and additive attention between them."""

    def __init__(self, n_source_ids, n_target_ids, units):
        super().__init__()
        self.source_embedding = nn.Embedding(n_source_ids, units)
        self.forward_lstm = nn.LSTM(units, units, batch_first=True)
        self.backward_lstm = nn.LSTM(units, units, batch_first=True)
        self.bridge = nn.Linear(2 * units, 2 * units)
        self.target_embedding = nn.Embedding(n_target_ids, units)
        self.lstm = nn.LSTM(units, units, batch_first=True)
        self.key = nn.Linear(2 * units, units, bias=False)
        self.query = nn.Linear(units, units, bias=False)
        self.score = nn.Linear(units, 1, bias=False)
        self.readout = nn.Linear(3 * units, units)
        self.logits = nn.Linear(units, n_target_ids)

    def forward(self, source, lengths, target):
        """Logits of the token that follows each token of the target."""
        encoded, state = self.encode(source, lengths)
        return self.decode(target, state, encoded)[0]

    def encode(self, source, lengths):
        """What attention needs of a batch of sources, and the decoder's first state."""
        embedded = self.source_embedding(source)
        places = torch.arange(source.shape[1], device=source.device)
        is_source = places < lengths[:, None]
        # Each source is reversed within its own length.
        reversing = torch.where(is_source, lengths[:, None] - 1 - places, places)
        rows = torch.arange(len(source), device=source.device)[:, None]
        ahead, _ = self.forward_lstm(embedded)
        back, _ = self.backward_lstm(embedded[rows, reversing])
        summary = torch.cat(
            [ahead[rows[:, 0], lengths - 1], back[rows[:, 0], lengths - 1]], -1
        )
        states = torch.cat([ahead, back[rows, reversing]], -1)
        state = torch.tanh(self.bridge(summary)).chunk(2, -1)
        encoded = states, self.key(states), is_source
        return encoded, tuple(part[None].contiguous() for part in state)

    def decode(self, target, state, encoded):
        """Logits after each token, and the last state."""
        outputs, state = self.lstm(self.target_embedding(target), state)
        return self.attend(outputs, encoded), state

    def attend(self, outputs, encoded):
        states, keys, is_source = encoded
        both = torch.tanh(self.query(outputs)[:, :, None] + keys[:, None])
        scores = self.score(both)[..., 0].masked_fill(~is_source[:, None], -1e9)
        context = torch.softmax(scores, -1) @ states
        return self.logits(torch.tanh(self.readout(torch.cat([outputs, context], -1))))


class TorchTranslator:
    """Trains and decodes; `end` is the id before the first token and after the last.

    Parameters
    ----------
    sources, targets : list of list of int
        Ids, without the end.
    n_source_ids, n_target_ids : int
        How many ids there are, including the end.
    n_threads : int
        How many threads each operation may use.
    """

    def __init__(
        self,
        sources,
        targets,
        n_source_ids,
        n_target_ids,
        end,
        units,
        batch_size,
        n_threads,
        device="cpu",
    ):
        torch.manual_seed(0)
        self.n_threads = n_threads
        self.network = Network(n_source_ids, n_target_ids, units).to(device)
        self.end, self.batch_size = end, batch_size
        self.optimizer = torch.optim.Adam(self.network.parameters(), 1e-3, fused=True)
        lengths = [len(s) + len(t) for s, t in zip(sources, targets, strict=True)]
        self.batches = [
            on(
                device,
                *padded([sources[i] for i in rows]),
                padded([[end, *targets[i]] for i in rows])[0],
                padded([[*targets[i], end] for i in rows], IGNORED)[0],
            )
            for rows in cut_sorted(lengths, batch_size)
        ]

    def train_epoch(self):
        """See every pair once; `loss` is then the mean per token."""
        torch.set_num_threads(self.n_threads)
        totals = [
            self._train_batch(*self.batches[i])
            for i in torch.randperm(len(self.batches))
        ]
        total, n_tokens = np.sum(totals, axis=0)
        self.loss = total / n_tokens

    def _train_batch(self, source, lengths, target, labels):
        self.optimizer.zero_grad()
        logits = self.network(source, lengths, target)
        loss = cross_entropy(
            logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED
        )
        loss.backward()
        self.optimizer.step()
        n_tokens = int((labels != IGNORED).sum())
        return loss.item() * n_tokens, n_tokens

    @torch.inference_mode()
    def decode(self, sources, n_tokens, beam_width):
        """The best outputs of exactly that many tokens, (n_sources, n_tokens)."""
        torch.set_num_threads(self.n_threads)
        search = self._greedy if beam_width == 1 else self._beam
        outputs = np.empty((len(sources), n_tokens), dtype=np.int64)
        for rows in cut_sorted([len(s) for s in sources], self.batch_size):
            encoded, state = self.network.encode(*padded([sources[i] for i in rows]))
            outputs[rows] = search(encoded, state, n_tokens, beam_width).numpy()
        return outputs

    def _greedy(self, encoded, state, n_tokens, _):
        tokens = torch.full((len(encoded[0]), 1), self.end)
        written = []
        for t in range(n_tokens + 1):
            logits, state = self.network.decode(tokens, state, encoded)
            tokens = self._restricted(logits, t == n_tokens).argmax(-1)
            written.append(tokens)
        return torch.cat(written[:-1], 1)

    def _beam(self, encoded, state, n_tokens, width):
        n_rows = len(encoded[0])
        state = tuple(part.repeat_interleave(width, 1) for part in state)
        tokens = torch.full((n_rows, width), self.end)
        written = torch.empty((n_rows, width, 0), dtype=torch.long)
        totals = torch.full((n_rows, width), -torch.inf)
        totals[:, 0] = 0.0
        first = torch.arange(n_rows)[:, None] * width
        for t in range(n_tokens + 1):
            embedded = self.network.target_embedding(tokens.reshape(-1, 1))
            outputs, state = self.network.lstm(embedded, state)
            logits = self.network.attend(outputs.reshape(n_rows, width, -1), encoded)
            log_probs = self._restricted(log_softmax(logits, -1), t == n_tokens)
            n_ids = log_probs.shape[-1]
            candidates = (totals[..., None] + log_probs).flatten(1)
            totals, chosen = candidates.topk(width)
            parents, tokens = chosen // n_ids, chosen % n_ids
            places = (first + parents).flatten()
            state = tuple(part[:, places] for part in state)
            kept = written.flatten(0, 1)[places].view(n_rows, width, -1)
            written = torch.cat([kept, tokens[..., None]], -1)
        return written[:, 0, :-1]

    def _restricted(self, scores, is_last):
        """Allow only the end in the last place, and everything else before it."""
        is_end = torch.arange(scores.shape[-1]) == self.end
        return scores.masked_fill(is_end ^ is_last, -torch.inf)


def on(device, *tensors):
    """The tensors on a device."""
    return tuple(tensor.to(device) for tensor in tensors)


def wait():
    """Wait for what a GPU has been given to do, if there is one."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def cut_sorted(lengths, batch_size):
    """Batches of indices, from the shortest to the longest."""
    order = np.argsort(lengths, kind="stable")
    return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]


def padded(sequences, value=0):
    """The sequences in one tensor, and their lengths."""
    tensors = [torch.tensor(sequence) for sequence in sequences]
    lengths = torch.tensor([len(sequence) for sequence in sequences])
    return pad_sequence(tensors, batch_first=True, padding_value=value), lengths
