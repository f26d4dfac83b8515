"""The Transformer that reads one sequence and writes another: Vaswani et al. 2017 (arXiv 1706.03762).

    memory = encoder(source);    p(y_t | y_<t, source) = softmax(decoder(y_<t, memory)_t Eᵀ)

The encoder attends to the whole source, the decoder to what is written so far and to the memory. Positions are
sinusoids added to embeddings of sqrt(width) times their size (section 3.5), or rotations of queries and keys inside
self-attention (Su et al. 2021, arXiv 2104.09864). Residuals are those of `models.layers.transformer`: the paper's own
are `post`; `pre` learns without its warm-up (Xiong et al. 2020, arXiv 2002.04745). Embeddings may be shared (section
3.4; Press and Wolf 2017, arXiv 1608.05859): of target and output, or of source, target and output.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models import weights
from models.checks import demand, demand_one_of
from models.decoding.beam import Marks
from models.layers.attention import padding_mask, recording
from models.layers.cross_entropy import linear_cross_entropy
from models.layers.dropout import Dropout
from models.layers.positions import Rotary, Sinusoidal
from models.layers.transformer import Block, BlockCache, BlockConfig, norm_of
from models.seq2seq.targets import shifted

VERSION = 1
POSITIONS = ("sinusoidal", "rotary")
TIED = ("all", "output", "none")


@dataclass(frozen=True, kw_only=True)
class TransformerSeq2SeqConfig:
    """What the model is made of.

    `pad`, `begin` and `end` are tokens of the vocabulary, which source and target share. `context` is the most tokens
    of a source, and of a target without its end; `layers` those of encoder and decoder each. `tied`: the output layer
    is the embedding of the target (`output`), and that of the source as well (`all`). `dropout` is of embeddings and
    residuals, `word_dropout` of whole tokens (Gal and Ghahramani 2016, arXiv 1512.05287).
    """

    vocab_size: int
    pad: int
    begin: int
    end: int
    context: int = 128
    layers: int = 2
    heads: int = 4
    width: int = 128
    expansion: int = 4
    positions: str = "sinusoidal"
    residual: str = "pre"
    norm: str = "layer"
    activation: str = "relu"
    bias: bool = True
    query_key_norm: bool = False
    tied: str = "all"
    dropout: float = 0.1
    attention_dropout: float = 0.0
    word_dropout: float = 0.0
    label_smoothing: float = 0.1

    def __post_init__(self) -> None:
        """Refuse what no model can be."""
        for name in ("vocab_size", "context", "layers"):
            demand(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        for name in ("pad", "begin", "end"):
            demand(0 <= getattr(self, name) < self.vocab_size, name, getattr(self, name), "a token of the vocabulary")
        for name in ("word_dropout", "label_smoothing"):
            demand(0 <= getattr(self, name) < 1, name, getattr(self, name), "at least 0 and below 1")
        for name, known in (("positions", POSITIONS), ("tied", TIED)):
            demand_one_of(name, getattr(self, name), known)
        self.block(decoder=True)
        even = self.width % 2 == 0 and (self.width // self.heads) % 2 == 0
        demand(even, "width", self.width, f"an even multiple of heads ({self.heads})")

    def block(self, *, decoder: bool) -> BlockConfig:
        """The blocks of the decoder or of the encoder."""
        shared = {field.name for field in dataclasses.fields(BlockConfig)} & set(self.__dataclass_fields__)
        return BlockConfig(causal=decoder, cross=decoder, **{name: getattr(self, name) for name in shared})

    @property
    def marks(self) -> Marks:
        """The special tokens."""
        return Marks(self.pad, self.begin, self.end)


class Memory(NamedTuple):
    """What the encoder made of a source: `states` [batch, time, width], `mask` of real ones [batch, 1, 1, time]."""

    states: Tensor
    mask: Tensor


class Writing(NamedTuple):
    """The state of a decoder under way: the memory, and the keys and values of each block so far."""

    memory: Memory
    cache: list[BlockCache]


class TransformerSeq2Seq(nn.Module):
    """Predicts each token of a target from those before it and from a source."""

    def __init__(self, config: TransformerSeq2SeqConfig, *, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        width, length = config.width, config.context + 1
        self.embedding = nn.Embedding(config.vocab_size, width)
        self.source_embedding = None if config.tied == "all" else nn.Embedding(config.vocab_size, width)
        self.unembedding = nn.Parameter(torch.empty(config.vocab_size, width)) if config.tied == "none" else None
        rotary = config.positions == "rotary"
        self.rotary = Rotary(width // config.heads, length=length) if rotary else None
        self.sinusoidal = None if rotary else Sinusoidal(width, length=length)
        self.encoder = nn.ModuleList(Block(config.block(decoder=False)) for _ in range(config.layers))
        self.decoder = nn.ModuleList(Block(config.block(decoder=True)) for _ in range(config.layers))
        self.encoder_norm, self.decoder_norm = self._norm(), self._norm()
        self.dropout = Dropout(config.dropout)
        initialise(self, seed=seed)

    @property
    def marks(self) -> Marks:
        """The special tokens."""
        return self.config.marks

    @property
    def longest(self) -> int:
        """Most tokens that the decoder can write, the end among them."""
        return self.config.context + 1

    @property
    def output(self) -> Tensor:
        """The output layer [vocab_size, width]."""
        return self.embedding.weight if self.unembedding is None else self.unembedding

    def forward(self, source: Tensor, lengths: Tensor, tokens: Tensor) -> Tensor:
        """Logits [batch, time, vocab_size] for what follows each of `tokens` [batch, time], the first the begin token.

        `source` [batch, source time] is padded on the right, `lengths` [batch] are its real tokens, at least 1.
        """
        logits: Tensor = self.decode(tokens, self.encode(source, lengths)) @ self.output.T
        return logits

    def encode(self, source: Tensor, lengths: Tensor) -> Memory:
        """Read sources [batch, time] with so many real tokens each."""
        mask = padding_mask(lengths, time=source.shape[1])
        positions = self._positions(source, before=0, longest=self.config.context)
        rotation = None if self.rotary is None else self.rotary(positions)
        hidden = self._embed(self.source_embedding or self.embedding, source, positions)
        for block in self.encoder:
            hidden = block(hidden, mask=mask, rotation=rotation)
        return Memory(self.encoder_norm(hidden), mask)

    def decode(self, tokens: Tensor, memory: Memory, *, cache: list[BlockCache] | None = None) -> Tensor:
        """The last hidden states [batch, time, width]; with a `cache`, `tokens` come after all given to it before.

        The future is hidden from every token, so that padding on the right changes none before it.
        """
        positions = self._positions(tokens, before=len(cache[0].own) if cache else 0, longest=self.longest)
        rotation = None if self.rotary is None else self.rotary(positions)
        hidden = self._embed(self.embedding, tokens, positions)
        for number, block in enumerate(self.decoder):
            hidden = block(
                hidden,
                rotation=rotation,
                memory=memory.states,
                memory_mask=memory.mask,
                cache=cache[number] if cache else None,
            )
        states: Tensor = self.decoder_norm(hidden)
        return states

    def losses(self, source: Tensor, lengths: Tensor, target: Tensor, target_lengths: Tensor) -> dict[str, Tensor]:
        """Mean `loss` in nats per target token, the end among them; smoothed labels while training only."""
        inputs, labels, real = shifted(target, target_lengths, self.marks)
        states = self.decode(inputs, self.encode(source, lengths))
        smoothing = self.config.label_smoothing if self.training else 0.0
        return {"loss": linear_cross_entropy(states[real], self.output, None, labels[real], smoothing=smoothing)}

    def start(self, source: Tensor, lengths: Tensor) -> Writing:
        """The state before the first token (see `models.decoding.beam.Decoder`)."""
        device = self.embedding.weight.device
        memory = self.encode(source.to(device), lengths.to(device))
        return Writing(memory, [BlockCache() for _ in self.decoder])

    def step(self, state: Writing, tokens: Tensor) -> tuple[Tensor, Writing]:
        """Log-probabilities [rows, vocab_size] of what follows `tokens` [rows]; the cache grows by one place."""
        tokens = tokens.to(self.embedding.weight.device).unsqueeze(1)
        logits = self.decode(tokens, state.memory, cache=state.cache)[:, 0] @ self.output.T
        return logits.float().log_softmax(dim=-1), state

    def select(self, state: Writing, rows: Tensor) -> Writing:
        """The state of these rows, in this order."""
        for block in state.cache:
            block.select(rows)
        return Writing(Memory(state.memory.states[rows], state.memory.mask[rows]), state.cache)

    @torch.no_grad()
    def attention(self, source: Tensor, lengths: Tensor, tokens: Tensor) -> Tensor:
        """How much each of `tokens` [batch, time] looks at each source token: the last block's mean over heads.

        Float [batch, time, source time]; a row of it sums to 1.
        """
        with recording(self) as weights:
            self(source, lengths, tokens)
        return weights[f"decoder.{self.config.layers - 1}.cross_attention"][0].mean(dim=1)

    def save(self, directory: Path) -> None:
        """Write `model.safetensors` and `config.json` into an existing directory."""
        weights.save(self, self.config, directory)

    @classmethod
    def load(cls, directory: Path) -> TransformerSeq2Seq:
        """Read what `save` wrote, ready for inference. Raises ConfigError and WeightsError as `models.weights` does."""
        model = cls(weights.read_config(TransformerSeq2SeqConfig, directory))
        weights.load(model, directory)
        return model.eval()

    def _norm(self) -> nn.Module:
        """The last norm of a stack of blocks, which only `pre` leaves unnormalised."""
        if self.config.residual != "pre":
            return nn.Identity()
        return norm_of(self.config.norm, self.config.width, bias=self.config.bias)

    def _positions(self, tokens: Tensor, *, before: int, longest: int) -> Tensor:
        if before + tokens.shape[1] > longest:
            raise ValueError(f"{before + tokens.shape[1]} tokens are too many for a model that takes {longest}")
        return torch.arange(before, before + tokens.shape[1], device=tokens.device)

    def _embed(self, table: nn.Embedding, tokens: Tensor, positions: Tensor) -> Tensor:
        hidden: Tensor = table(tokens) * self.config.width**0.5
        if self.training and self.config.word_dropout:
            kept = torch.rand(tokens.shape, device=tokens.device) >= self.config.word_dropout
            hidden = hidden * kept.unsqueeze(-1)
        if self.sinusoidal is not None:
            hidden = hidden + self.sinusoidal(positions)
        dropped: Tensor = self.dropout(hidden)
        return dropped


def initialise(model: TransformerSeq2Seq, *, seed: int) -> None:
    """Set every weight, from the seed alone.

    Matrices as by Glorot and Bengio 2010, the three of an attention's input each by itself; embeddings with variance
    1 / width, so that scaled ones have unit variance and logits of normalised states too; gains 1, those of ReZero and
    all biases 0.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "embedding" in name:
                weight.normal_(std=model.config.width**-0.5, generator=generator)
            elif weight.ndim == 2:
                for part in weight.chunk(_PARTS.get(name.split(".")[-2], 1)):
                    nn.init.xavier_uniform_(part, generator=generator)
            else:
                weight.fill_(1.0 if name.endswith("norm.weight") else 0.0)


_PARTS = {"query_key_value": 3, "key_value": 2}
