"""An LSTM autoencoder in PyTorch, written by hand to be fast on a CPU.

Batches have nearly equal lengths and are padded once. Nothing is packed, so that oneDNN
runs each recurrence in one call. The loss is over real frames only. A decoder that
reads its own last output is run by cells, step by step, as it is usually written, or,
since the output is linear in the state, as a recurrence without inputs whose weights
hold the feedback.
"""

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from peers.torch_seq2seq import cut_sorted, on, wait


class Network(nn.Module):
    """An LSTM that encodes a sequence to a code, and another that unfolds it."""

    def __init__(self, n_features, units, decode):
        super().__init__()
        self.decode = decode
        n_seen = units if decode is reading_the_code else n_features
        self.encoder = nn.LSTM(n_features, units, batch_first=True)
        self.code = nn.Linear(units, units)
        self.bridge = nn.Linear(units, 2 * units)
        self.decoder = nn.LSTM(n_seen, units, batch_first=True)
        self.readout = nn.Linear(units, n_features)

    def forward(self, frames, lengths):
        states, _ = self.encoder(frames)
        code = self.code(
            states[torch.arange(len(frames), device=frames.device), lengths - 1]
        )
        state = torch.tanh(self.bridge(code)).chunk(2, -1)
        return self.decode(self, code, state, frames.shape[1])


def reading_the_code(network, code, state, n_frames):
    """Unfold a code that is read at every step."""
    state = tuple(part[None].contiguous() for part in state)
    seen = code[:, None].expand(-1, n_frames, -1).contiguous()
    return network.readout(network.decoder(seen, state)[0])


def reading_the_output(network, code, state, n_frames):
    """Unfold a code by cells, each of which reads what the last one wrote."""
    lstm, written = network.decoder, []
    weights = lstm.weight_ih_l0, lstm.weight_hh_l0, lstm.bias_ih_l0, lstm.bias_hh_l0
    for _ in range(n_frames):
        state = torch.lstm_cell(network.readout(state[0]), state, *weights)
        written.append(state[0])
    return network.readout(torch.stack(written, 1))


def folded(network, code, state, n_frames):
    """The same as a recurrence without inputs."""
    lstm, readout = network.decoder, network.readout
    weight = lstm.weight_hh_l0 + lstm.weight_ih_l0 @ readout.weight
    bias = lstm.bias_ih_l0 + lstm.weight_ih_l0 @ readout.bias
    weights = lstm.weight_ih_l0 * 0, weight, bias, lstm.bias_hh_l0
    state = tuple(part[None].contiguous() for part in state)
    nothing = code.new_zeros(len(code), n_frames, lstm.input_size)
    options = True, 1, 0.0, True, False, True
    outputs, *_ = torch.lstm(nothing, state, weights, *options)
    return readout(outputs)


# By what the decoder reads: the ways in which it can be run.
DECODERS = {
    "code": {"": reading_the_code},
    "output": {", by cells": reading_the_output, ", folded": folded},
}


class TorchAutoencoder:
    """Trains on sequences of frames."""

    def __init__(self, X, units, batch_size, decode, n_threads, device="cpu"):
        torch.manual_seed(0)
        self.n_threads = n_threads
        self.network = Network(X[0].shape[1], units, decode).to(device)
        self.optimizer = torch.optim.Adam(self.network.parameters(), 1e-3, fused=True)
        self.batches = [
            on(device, *padded([X[i] for i in rows]))
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
        wait()


def padded(sequences):
    """Frames, lengths, and the weight of each frame: its share of its sequence."""
    lengths = torch.tensor([len(sequence) for sequence in sequences])
    frames = pad_sequence([torch.tensor(s) for s in sequences], batch_first=True)
    is_frame = torch.arange(frames.shape[1]) < lengths[:, None]
    return frames, lengths, is_frame / lengths[:, None]
