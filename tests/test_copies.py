"""Copies of often used rows: a thread's own change nothing, and what others have learned arrives."""

from functools import partial

import numpy as np
import pytest
from epochs import CHUNKS, SETTINGS_OF_COPIES, name_of, train_epoch
from inside import Copies

from fastvec import CBOW, SkipGram

pytestmark = pytest.mark.every_backend

# A row is copied that is used this often for a word, or more, and exchanged after about so many uses.
MOVES = dict.fromkeys(("input_vectors", "output_vectors", "node_vectors"), 0.5)


def copies_of(matrices, arguments, threads=1, often=0.001, moves=MOVES):
    """Copy every other row, so that some are seen through copies and some not."""
    uses = {name: np.zeros(len(rows)) for name, rows in matrices.items() if name != "position_weights"}
    numbers = {}
    for name, of_rows in uses.items():
        if name == "node_vectors":
            numbers[name] = "path_nodes", arguments["path_nodes"]
            of_rows[::2] = often
        else:
            of_rows[1 : len(of_rows) // 2] = often  # not by falling frequency, as another text may have them
    return Copies(matrices, threads, uses, moves, numbers)


@pytest.mark.parametrize(("kernel", "settings"), SETTINGS_OF_COPIES, ids=name_of)
def test_those_of_one_thread_change_nothing(compiled, toy_corpus, padded, kernel, settings):
    train = partial(train_epoch, compiled, kernel, settings, toy_corpus, padded)
    plain, copied = train(), train(copies_of=copies_of)
    assert plain[2:] == copied[2:]
    np.testing.assert_allclose(copied.loss, plain.loss, rtol=1e-4)
    for name, matrix in plain.matrices.items():
        np.testing.assert_allclose(copied.matrices[name], matrix, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("kernel", "settings"), SETTINGS_OF_COPIES[::4], ids=name_of)
@pytest.mark.parametrize("threads", [2, 3])
def test_what_each_thread_has_learned_arrives(compiled, toy_corpus, padded, kernel, settings, threads):
    """Nothing is learned here but what the copies have before: all of it is in the rows afterwards."""
    random = np.random.default_rng(1)
    changes, expected = {}, {}

    def changed(matrices, arguments):
        copies = copies_of(matrices, arguments, threads)
        expected.update({name: matrix.copy() for name, matrix in matrices.items()})
        for thread, member in enumerate(copies.members):
            for name, rows in member.items():
                change = random.integers(-8, 8, rows.rows.shape).astype(np.float32)
                changes[thread, name] = rows.copied, change
                rows.take = partial(take_and_add, rows, change)
        return copies

    run = train_epoch(compiled, kernel, settings, toy_corpus, padded, learning_rate=0.0, copies_of=changed)
    for (_, name), (copied, change) in changes.items():
        assert len(copied)
        expected[name][copied] += change
    for name, matrix in run.matrices.items():
        np.testing.assert_allclose(matrix, expected[name], atol=1e-4)


def take_and_add(rows, change):
    rows.rows[:] = rows.before[:] = rows.matrix[rows.copied]
    rows.rows += change


def test_rows_are_exchanged_while_threads_work(compiled, toy_corpus, padded):
    """What others make of the rows before each chunk is seen in those that were used often enough since."""
    settings = {"window": 5, "negatives": 5, "shared": True, "loss": "negative_sampling"}
    seen = {}

    def changed_by_others(matrices, arguments):
        copies = copies_of(matrices, arguments)
        of_thread = copies.arguments

        def arguments_after_a_change(thread):
            for name, rows in copies.members[thread].items():
                seen[name] = rows.rows, rows.rows.copy() if name not in seen else seen[name][1]
                rows.matrix[rows.copied] += 1
            return of_thread(thread)

        copies.arguments = arguments_after_a_change
        return copies

    train_epoch(
        compiled, "skipgram", settings, toy_corpus, padded, learning_rate=0.0, copies_of=changed_by_others
    )
    for rows, at_start in seen.values():
        changes = np.round(rows - at_start)
        assert changes.max() >= 2
        assert changes.min() >= 0
        assert changes.max() <= len(CHUNKS)


@pytest.mark.parametrize("estimator", [SkipGram, CBOW])
@pytest.mark.parametrize("noise_exponent", [0.75, -0.5])
def test_a_second_text_has_its_words_in_another_order(estimator, noise_exponent):
    """The rows of which threads have copies are those of their words, however frequent these are now."""
    random = np.random.default_rng(4)
    shares = 1 / np.arange(1.0, 201)
    first, second = (random.choice(200, (4000, 10), p=p / p.sum()).tolist() for p in (shares, shares[::-1]))
    losses = []
    for threads in (1, 2):
        model = estimator(
            vector_size=16, subsample=0, noise_exponent=noise_exponent, threads=threads, epochs=2
        )
        losses.append(model.fit(first).fit(second).history_[-1].loss)
    assert losses[1] == pytest.approx(losses[0], rel=0.05)


def test_seldom_used_rows_are_shared():
    rows = np.zeros((100, 16), np.float32)
    uses = {"output_vectors": 1 / np.arange(1.0, 101) ** 3}
    of_two, of_many = (
        Copies({"output_vectors": rows}, threads, uses, {"output_vectors": 0.1}, {}) for threads in (2, 16)
    )
    few, fewer = (len(crew.members[0]["output_vectors"].rows) for crew in (of_two, of_many))
    assert 100 > few > fewer > 0


@pytest.mark.parametrize("estimator", [SkipGram, CBOW])
def test_eight_threads_learn_what_one_does(estimator):
    """A hundred words, all of them used often: changes that add up too far multiply the loss."""
    random = np.random.default_rng(3)
    topics = random.integers(0, 10, 8000)
    sentences = [
        [f"w{10 * topic + word}" for word in random.integers(0, 10, 20)] for topic in topics.tolist()
    ]
    losses = [
        estimator(vector_size=16, window=10, epochs=2, subsample=0, threads=threads)
        .fit(sentences)
        .history_[-1]
        .loss
        for threads in (1, 8)
    ]
    assert losses[1] < 1.5 * losses[0]
