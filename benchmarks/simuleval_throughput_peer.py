"""SimulEval's side of simuleval_throughput.py: runs in its environment, speaks JSON on stdout.

The agent is the straightforward one: the policy as its paper states it, and one plain forward
pass, of one sequence, for every distribution that a step asks for. Three ways to run the model:

``tuned``    lsg's own backend, with the threads and instructions it chooses; forward passes only
``cached``   the same, but what comes after the end of the source is left to CTranslate2's greedy
             search, with its key/value cache; it rounds otherwise
``default``  ``ctranslate2.Generator(directory, compute_type="int8")``, as its documentation has it;
             forward passes only

SimulEval puts a space between words, so what continues the word before is marked with a joiner.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import math
import resource
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

JOINER = "\N{HALFWIDTH BLACK SQUARE}"
Tokens = tuple[int, ...]
Source = tuple[str, ...]


def main() -> None:
    """Drive the agent over the files; print seconds and what it took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--source")
    parser.add_argument("--target")
    parser.add_argument("--output")
    parser.add_argument("--policy", type=json.loads)
    parser.add_argument("--model", choices=["tuned", "cached", "default"])
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    evaluator = make_evaluator(options.source, options.target, options.output)
    agent = make_agent(options.policy, options.model)
    start, cpu = time.perf_counter(), cpu_seconds()
    with contextlib.redirect_stdout(sys.stderr):
        evaluator(agent)
    seconds, cpu = time.perf_counter() - start, cpu_seconds() - cpu
    print(json.dumps({"seconds": seconds, "cpu": cpu}))


def cpu_seconds() -> float:
    """Processor time of this process so far, of all its threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def make_evaluator(source: str, target: str, output: str) -> Any:
    """Parse arguments as the command `simuleval` does."""
    from simuleval import options
    from simuleval.evaluator import SentenceLevelEvaluator

    sys.argv = ["simuleval", "--no-progress-bar", "--source", source, "--target", target]
    sys.argv += ["--source-type", "text", "--target-type", "text", "--output", output]
    sys.argv += ["--dataloader", "text-to-text", "--source-segment-size", "1"]
    sys.argv += ["--quality-metrics", "BLEU", "--latency-metrics", "AL"]
    parser = options.general_parser()
    options.add_evaluator_args(parser)
    options.add_scorer_args(parser)
    options.add_dataloader_args(parser)
    arguments, _ = parser.parse_known_args()
    return SentenceLevelEvaluator.from_args(arguments)


@dataclass
class Model:
    """How a model is asked: log-probabilities after a target prefix, greedy search if it may."""

    lexicon: Any
    logp: Callable[[Source, Tokens], Any]
    search: Callable[[Source, Tokens, int], Tokens] | None = None


def make_model(kind: str) -> Model:
    """Load the model."""
    import ctranslate2

    from benchmarks.embedded import open_decoder_only
    from lsgcli.core.steps import Generate, Query
    from lsgcli.models.catalog import embedded

    backend = open_decoder_only("de", "en")
    lexicon = backend.lexicon
    if kind != "default":

        def search(source: Source, target: Tokens, room: int) -> Tokens:
            return next(iter(backend.generate([Generate(Query(source, target), room)])))

        return Model(
            lexicon,
            lambda source, target: backend.forward([Query(source, target)])[0][0].logp,
            search if kind == "cached" else None,
        )
    generator = ctranslate2.Generator(str(embedded()["en-de"]), compute_type="int8")
    view = ctranslate2.StorageView.from_array

    def logp(source: Source, target: Tokens) -> Any:
        row = np.array([lexicon.prompt(Query(source, target))], np.int32)
        length = np.array([row.shape[1]], np.int32)
        output = generator.forward_batch(view(row), view(length), return_log_probs=True)
        return np.asarray(output)[0, -1].copy()

    return Model(lexicon, logp)


@dataclass
class Translator:
    """The policy over one sentence: words with what was read, as plainly as can be."""

    policy: dict[str, Any]
    model: Model
    tokens: Tokens = ()
    words: int = 0

    def read(self, source: Source) -> list[str]:
        """Write all the words that the policy allows now."""
        written = []
        while self.may_write(source) and (word := self.word(source)):
            written.append(self.commit(word))
        return written

    def rest(self, source: Source) -> list[str]:
        """Write the rest, now that the source is complete."""
        if self.model.search:
            room = self.model.lexicon.limit(source) - len(self.tokens)
            return [self.commit(self.model.search(source, self.tokens, room))]
        written = []
        while word := self.word(source):
            written.append(self.commit(word))
        return written

    def may_write(self, source: Source) -> bool:
        """Whether the policy says WRITE."""
        i, j = self.words + 1, len(source)
        if self.policy["kind"] == "wait-k":
            return bool(j >= self.policy["k"] + i - 1)
        first = self.policy["lower"] + i - 1
        if j < first:
            return False
        p = self.logp(source)
        allowed = self.writable(p)
        token = int(allowed.argmax())
        if self.model.lexicon.ends(token):
            return False
        if j >= first + self.policy["upper"] or math.exp(allowed[token]) > self.policy["alpha"]:
            return True
        q = self.logp(source[:i])
        return bool(np.sum(np.exp(p) * (p - q)) > self.policy["delta"])

    def word(self, source: Source) -> Tokens:
        """The next greedy word, a pass for each token; empty at the end."""
        lexicon = self.model.lexicon
        word: Tokens = ()
        while len(self.tokens) + len(word) < lexicon.limit(source):
            p = self.logp(source, word)
            token = int((p if word else self.writable(p)).argmax())
            if lexicon.ends(token):
                break
            if lexicon.text(word).strip() and lexicon.starts_word(token, word):
                break
            word += (token,)
        return word

    def writable(self, p: Any) -> Any:
        """Without the tokens that would extend a word already written."""
        if not self.tokens:
            return p
        return np.where(self.model.lexicon.after_word(self.tokens), p, -np.inf)

    def commit(self, word: Tokens) -> str:
        """Append a word to the target; what is shown of it."""
        text: str = self.model.lexicon.text(word)
        continues = self.tokens and text and not text[0].isspace()
        self.tokens += word
        self.words += 1
        return JOINER + text if continues else text.strip()

    def logp(self, source: Source, word: Tokens = ()) -> Any:
        """Log-probabilities of the next token."""
        return self.model.logp(source, self.tokens + word)


def make_agent(policy: dict[str, Any], kind: str) -> Any:
    """Wrap the model and the policy for SimulEval."""
    from simuleval.agents import TextToTextAgent
    from simuleval.agents.actions import ReadAction, WriteAction

    model = make_model(kind)

    class Agent(TextToTextAgent):
        def reset(self) -> None:
            super().reset()
            self.translator = Translator(policy, model)

        def policy(self) -> Any:
            source = tuple(self.states.source)
            if self.states.source_finished:
                return WriteAction(" ".join(self.translator.rest(source)), finished=True)
            written = self.translator.read(source)
            return WriteAction(" ".join(written), finished=False) if written else ReadAction()

    return Agent()


if __name__ == "__main__":
    main()
