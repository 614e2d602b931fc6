"""CTC in PyTorch, written by hand to be fast on a CPU.

Batches have nearly equal lengths and are padded once. Nothing is packed, so that oneDNN
runs each recurrence in one call. The backward direction reads each sequence reversed
within its own length. The loss is `F.ctc_loss`, and the optimizer is fused.
"""

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from peers.torch_seq2seq import cut_sorted, on, wait

CELLS = {"lstm": nn.LSTM, "gru": nn.GRU}


class Network(nn.Module):
    """A bidirectional LSTM or GRU and logits, those of the blank first."""

    def __init__(self, n_features, n_outputs, units, cell):
        super().__init__()
        make = CELLS[cell]
        self.ahead = make(n_features, units, batch_first=True)
        self.back = make(n_features, units, batch_first=True)
        self.logits = nn.Linear(2 * units, n_outputs)

    def forward(self, frames, reversing):
        rows = torch.arange(len(frames), device=frames.device)[:, None]
        ahead, _ = self.ahead(frames)
        back, _ = self.back(frames[rows, reversing])
        return self.logits(torch.cat([ahead, back[rows, reversing]], -1))


class TorchCTC:
    """Trains; labels are ids from 0, stored here plus one, since the blank is 0."""

    def __init__(
        self, X, y, n_labels, units, batch_size, n_threads, cell="lstm", device="cpu"
    ):
        torch.manual_seed(0)
        self.n_threads = n_threads
        self.network = Network(X[0].shape[1], n_labels + 1, units, cell).to(device)
        self.optimizer = torch.optim.Adam(self.network.parameters(), 1e-3, fused=True)
        self.batches = [
            on(device, *padded([X[i] for i in rows]), *flat([y[i] for i in rows]))
            for rows in cut_sorted(list(map(len, X)), batch_size)
        ]

    def train_epoch(self):
        """See every sequence once."""
        torch.set_num_threads(self.n_threads)
        for i in torch.randperm(len(self.batches)):
            frames, reversing, lengths, labels, label_lengths = self.batches[i]
            self.optimizer.zero_grad()
            log_probs = self.network(frames, reversing).log_softmax(-1).transpose(0, 1)
            loss = functional.ctc_loss(log_probs, labels, lengths, label_lengths)
            loss.backward()
            self.optimizer.step()
        wait()


def padded(sequences):
    """Frames, the indices that reverse each sequence, and lengths."""
    lengths = torch.tensor([len(sequence) for sequence in sequences])
    frames = pad_sequence([torch.tensor(s) for s in sequences], batch_first=True)
    places = torch.arange(frames.shape[1])
    reversing = torch.where(
        places < lengths[:, None], lengths[:, None] - 1 - places, places
    )
    return frames, reversing, lengths


def flat(sequences):
    labels = torch.tensor([i + 1 for sequence in sequences for i in sequence])
    return labels, torch.tensor([len(sequence) for sequence in sequences])
