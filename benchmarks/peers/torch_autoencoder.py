"""An LSTM autoencoder in PyTorch, written by hand to be fast on a CPU.

Batches have nearly equal lengths and are padded once. Nothing is packed, so that oneDNN
runs each recurrence in one call. The loss is over real frames only.
"""

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from peers.torch_seq2seq import cut_sorted


class Network(nn.Module):
    """An LSTM that encodes a sequence, and one that reads the code at every step."""

    def __init__(self, n_features, units):
        super().__init__()
        self.encoder = nn.LSTM(n_features, units, batch_first=True)
        self.code = nn.Linear(units, units)
        self.bridge = nn.Linear(units, 2 * units)
        self.decoder = nn.LSTM(units, units, batch_first=True)
        self.readout = nn.Linear(units, n_features)

    def forward(self, frames, lengths):
        states, _ = self.encoder(frames)
        code = self.code(states[torch.arange(len(frames)), lengths - 1])
        state = torch.tanh(self.bridge(code)).chunk(2, -1)
        state = tuple(part[None].contiguous() for part in state)
        seen = code[:, None].expand(-1, frames.shape[1], -1).contiguous()
        return self.readout(self.decoder(seen, state)[0])


class TorchAutoencoder:
    """Trains on sequences of frames."""

    def __init__(self, X, units, batch_size, n_threads):
        torch.manual_seed(0)
        self.n_threads = n_threads
        self.network = Network(X[0].shape[1], units)
        self.optimizer = torch.optim.Adam(self.network.parameters(), 1e-3, fused=True)
        self.batches = [
            padded([X[i] for i in rows])
            for rows in cut_sorted(list(map(len, X)), batch_size)
        ]

    def train_epoch(self):
        """See every sequence once."""
        torch.set_num_threads(self.n_threads)
        for i in torch.randperm(len(self.batches)):
            frames, lengths, weights = self.batches[i]
            self.optimizer.zero_grad()
            errors = (self.network(frames, lengths) - frames).square().mean(-1)
            (errors * weights).sum(1).mean().backward()
            self.optimizer.step()


def padded(sequences):
    """Frames, lengths, and the weight of each frame: its share of its sequence."""
    lengths = torch.tensor([len(sequence) for sequence in sequences])
    frames = pad_sequence([torch.tensor(s) for s in sequences], batch_first=True)
    is_frame = torch.arange(frames.shape[1]) < lengths[:, None]
    return frames, lengths, is_frame / lengths[:, None]
