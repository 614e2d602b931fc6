"""A classifier in PyTorch, written by hand to be fast on a CPU.

Batches have nearly equal lengths and are padded once. Nothing is packed, so that oneDNN
runs each recurrence in one call: the backward direction reads each sequence reversed
within its own length, and the state at its end is that of each direction.
"""

import torch
from torch import nn
from torch.nn import functional

from peers.torch_ctc import padded
from peers.torch_seq2seq import cut_sorted, on, wait


class Network(nn.Module):
    """Two LSTMs, and the logits of their final states."""

    def __init__(self, n_features, n_classes, units):
        super().__init__()
        self.ahead = nn.LSTM(n_features, units, batch_first=True)
        self.back = nn.LSTM(n_features, units, batch_first=True)
        self.logits = nn.Linear(2 * units, n_classes)

    def forward(self, frames, reversing, lengths):
        rows = torch.arange(len(frames), device=frames.device)
        ahead, _ = self.ahead(frames)
        back, _ = self.back(frames[rows[:, None], reversing])
        last = [part[rows, lengths - 1] for part in (ahead, back)]
        return self.logits(torch.cat(last, -1))


class TorchClassifier:
    """Trains; classes are ids from 0."""

    def __init__(self, X, y, n_classes, units, batch_size, n_threads, device="cpu"):
        torch.manual_seed(0)
        self.n_threads = n_threads
        self.network = Network(X[0].shape[1], n_classes, units).to(device)
        self.optimizer = torch.optim.Adam(self.network.parameters(), 1e-3, fused=True)
        self.batches = [
            on(device, *padded([X[i] for i in rows]), torch.tensor(y[rows]))
            for rows in cut_sorted(list(map(len, X)), batch_size)
        ]

    def train_epoch(self):
        """See every sequence once."""
        torch.set_num_threads(self.n_threads)
        for i in torch.randperm(len(self.batches)):
            frames, reversing, lengths, classes = self.batches[i]
            self.optimizer.zero_grad()
            logits = self.network(frames, reversing, lengths)
            functional.cross_entropy(logits, classes).backward()
            self.optimizer.step()
        wait()
