"""What gensim, fastText and word2vec.c call things, and what they are called here.

A name of theirs is never a second name here: whoever types it has an error that says ours, or why there is
none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = [
    "CLASSIFIERS",
    "DOCUMENTS",
    "LOAD",
    "LOAD_MODEL",
    "LOSSES",
    "MODELS",
    "PACKAGE",
    "PHRASES",
    "VECTORS",
    "Names",
]


class Names(NamedTuple):
    """Names of other packages, each with what it is here.

    Attributes
    ----------
    parameters : dict of str to str
        Those of constructors.
    attributes : dict of str to str
        Attributes and methods. Parameters are attributes, too.
    methods : dict of str to dict of str to str
        Parameters of methods that have the same name here.
    """

    parameters: Mapping[str, str] = {}
    attributes: Mapping[str, str] = {}
    methods: Mapping[str, Mapping[str, str]] = {}


_AUTOTUNE = "`fastvec.classify.autotune(TextClassifier(), path, validation=path, seconds=300)`"
_CLASSIFIER = "of TextClassifier, or `fastvec.classify.load(path)` of a file"
_IN_FIT = "done by `fit`"

# ---- models ----------------------------------------------------------------------------------------------

_PARAMETERS = {
    "size": "`vector_size`",
    "dim": "`vector_size`",
    "ws": "`window`",
    "window_size": "`window`",
    "negative": "`negatives`",
    "neg": "`negatives`",
    "minCount": "`min_count`",
    "max_final_vocab": "`max_vocab`",
    "max_vocab_size": "`max_vocab`; counts are exact, and nothing is pruned while counting",
    "sample": "`subsample`",
    "t": "`subsample`",
    "ns_exponent": "`noise_exponent`",
    "alpha": "`learning_rate`",
    "lr": "`learning_rate`",
    "min_alpha": "`min_learning_rate`",
    "iter": "`epochs`",
    "epoch": "`epochs`",
    "workers": "`threads`",
    "thread": "`threads`",
    "random_state": "`seed`",
    "shrink_windows": "`dynamic_window`",
    "trim_rule": "`keep` and `drop`, lists of words",
    "sg": "the choice between SkipGram and CBOW, or `model` of FastText",
    "hs": '`loss="hierarchical_softmax"`',
    "cbow_mean": '`pooling="mean"`, or `pooling="sum"` for 0',
    "minn": "`min_n` of FastText",
    "maxn": "`max_n` of FastText",
    "bucket": "`buckets` of FastText",
    "hashCount": "`hash_count` of FastText",
    "word_ngrams": "a parameter of TextClassifier; for words, join Phrases first",
    "wordNgrams": "`word_ngrams` of TextClassifier; for words, join Phrases first",
    "compute_loss": "not needed: `history_` has the loss of every epoch",
    "sentences": "the argument of `fit`",
    "corpus_file": "the argument of `fit`, which may be a path",
    "input": "the argument of `fit`, which may be a path",
    "pretrainedVectors": "`start_from` of `fit`",
    "no_components": "`vector_size`",
    "eta": "`learning_rate`",
    "dm": '`model="dm"` or `model="dbow"` of DocVectors',
    "dm_mean": "DocVectors' mean of document and words; there is no sum",
    "dm_concat": "DocVectors' mean of document and words; nothing is concatenated",
    "documents": "the argument of `fit` of DocVectors, with `tags`",
    "max_iter": "`epochs`",
    "batch_words": "not needed: threads take the work in parts of their own",
    "comment": "not needed: `vectors_.metadata` has the parameters",
    "hashfxn": "not needed: random values do not depend on the words",
    "lrUpdateRate": "not needed: the rate falls steadily",
    "null_word": "not needed: nothing is concatenated",
    "sorted_vocab": "not needed: the most frequent word is always first",
    "verbose": "`progress`",
    "dm_tag_count": "not needed: nothing is concatenated",
    "dv": "not there: documents start at random",
    "dv_mapfile": "not needed: `vectors_.save(path)`, then `fastvec.load(path, mmap=True)`",
    **dict.fromkeys(("label", "minCountLabel"), "a matter of TextClassifier"),
    **dict.fromkeys(
        (
            *("autotuneValidationFile", "autotuneMetric", "autotunePredictions"),
            *("autotuneDuration", "autotuneModelSize"),
        ),
        _AUTOTUNE,
    ),
}
# Attributes of their models.
_ATTRIBUTES = {
    "wv": "`vectors_`",
    "train": "`fit`",
    "build_vocab": "done by `fit`; `fit(more, update_vocabulary=True)` adds words",
    "build_vocab_from_freq": "`fit(corpus, vocabulary=counts)`",
    "scan_vocab": "done by `fit`",
    "get_word_vector": "`vectors_[word]`",
    "get_input_vector": "`vectors_.input_vectors[row]`",
    "get_words": "`vectors_.words`",
    "get_dimension": "`vectors_.vector_size`",
    "get_nearest_neighbors": "`vectors_.most_similar(word)`",
    "get_analogies": "`vectors_.analogy(a, b, c)`",
    "get_input_matrix": "`vectors_.vectors`, or `input_vectors_` of FastText",
    "get_output_matrix": "`output_vectors_`",
    "syn1neg": "`output_vectors_`",
    "syn1": "`node_vectors_`",
    "most_similar": "`vectors_.most_similar`",
    "similarity": "`vectors_.similarity`",
    "save_model": "`save`",
    "save_word2vec_format": '`vectors_.save("words.vec")`',
    "load": "`fastvec.load_model(path)`",
    "intersect_word2vec_format": "`start_from` and `freeze` of `fit`",
    "predict_output_word": "`predict`",
    "get_latest_training_loss": "`history_[-1].loss`",
    "running_training_loss": "`history_[-1].loss`",
    "init_sims": "not needed",
    "corpus_count": "not kept; `vocabulary_.total` is the number of words",
    "word_vectors": "`word_vectors_`",
    "dictionary": "`vocabulary_.index`",
    "corpus_total_words": "`vocabulary_.total`",
    "create_binary_tree": "done by `fit`; see `tree_`",
    "effective_min_count": "`min_count`",
    "estimate_memory": "not there: input and output vectors, of 4 bytes a number, take most of it",
    **dict.fromkeys(("init_weights", "prepare_vocab", "prepare_weights", "update_weights"), _IN_FIT),
    "layer1_size": "`vector_size`",
    **dict.fromkeys(("load_fasttext_format", "load_binary_data"), "`fastvec.load_model(path)`"),
    "raw_vocab": "`fastvec.Corpus(text).vocabulary`",
    "reset_from": "`fit(corpus, vocabulary=other.vocabulary_)`",
    "total_train_time": "the sum of the seconds in `history_`",
    "get_word_id": "`vectors_.index(word, -1)`",
    "get_sentence_vector": "`vectors_.mean(words, unit=True, unknown='skip')`",
    **dict.fromkeys(("get_subwords", "get_subword_id"), "`vectors_.ngrams(word)`"),
    "words": "`vectors_.words`",
    "set_matrices": "`start_from` of `fit`",
    "get_line": "not needed: sentences are lists of words, such as line.split() returns",
    "is_quantized": "not there: classifiers alone are quantized",
    **dict.fromkeys(
        (
            *("get_labels", "labels", "get_label_id", "get_meter", "quantize"),
            *("test", "test_label"),
        ),
        f"a method {_CLASSIFIER}",
    ),
}
_LEARNING = "a parameter of the model, as in `set_params(epochs=5).fit(more)`"
_COUNTED = "not needed: `fit` counts"
# Parameters of their `train` and `build_vocab`.
_FIT = {
    **dict.fromkeys(
        ("corpus_iterable", "corpus_file", "sentences", "documents", "input"),
        "the first argument, which may also be a path",
    ),
    **dict.fromkeys(("total_examples", "total_words", "word_count", "corpus_count"), _COUNTED),
    **dict.fromkeys(("epochs", "iter", "callbacks"), _LEARNING),
    "compute_loss": _PARAMETERS["compute_loss"],
    "start_alpha": "`learning_rate`, a parameter of the model",
    "end_alpha": "`min_learning_rate`, a parameter of the model",
    "queue_factor": "not needed: nothing waits in a queue",
    "report_delay": "not needed: `progress=True` shows a bar",
    "progress_per": "not needed: `progress=True` shows a bar",
    "update": "`update_vocabulary`",
    "trim_rule": "`keep` and `drop`, lists of words, parameters of the model",
    "keep_raw_vocab": "not needed: `fastvec.Corpus(text).vocabulary` has all words",
    "pretrainedVectors": "`start_from`",
    **dict.fromkeys(("lockf", "vectors_lockf"), "`freeze`"),
    "tagged_documents": "the first argument, with `tags`",
}
MODELS = Names(_PARAMETERS, _ATTRIBUTES, {"fit": _FIT})

DOCUMENTS = Names(
    {
        **_PARAMETERS,
        "deterministic": "`threads=1`; `transform` is deterministic with any `threads`",
    },
    {
        **_ATTRIBUTES,
        "wv": "`word_vectors_`",
        "dv": "`vectors_`",
        "docvecs": "`vectors_`",
        "infer_vector": "`transform([words])[0]`",
        "build_vocab": _IN_FIT,
        "dbow": "`model`",
        "similarity_unseen_docs": "the cosine of two rows of `transform([words_a, words_b])`",
        "estimated_lookup_memory": "not there: a document takes 4 bytes for each number of its vector",
        "score": "not there: `history_[-1].loss` is that of all documents",
    },
    {"fit": _FIT},
)

PHRASES = Names(
    {
        "sentences": "the argument of `fit`",
        "max_vocab_size": "not needed: counts are exact, and nothing is pruned while counting",
        "progress_per": "`progress`",
        "common_terms": "`connector_words`",
        "min_reduce": "not needed: nothing is pruned while counting",
    },
    {
        "add_vocab": "`fit` of all the text",
        "analyze_sentence": "`join(sentence)`",
        **dict.fromkeys(("export_phrases", "find_phrases"), "`phrases_`"),
        "freeze": "not needed: only phrases are kept, and not what was counted",
        "phrasegrams": "`pairs_`",
        "score_candidate": "`pairs_[0].get((word_a, word_b))`",
        "vocab": "not kept: `pairs_` has the pairs that are phrases, with their scores",
        "corpus_word_count": "not kept: `fastvec.Corpus(text).n_tokens`",
    },
    {"fit": _FIT},
)

# Values of fastText's `loss`.
LOSSES = {
    "hs": "hierarchical_softmax",
    "ns": "negative_sampling",
    "ova": "one_vs_all",
    "one-vs-all": "one_vs_all",
}

# ---- fastText's classifier -------------------------------------------------------------------------------

_PREDICT_TOP = "that of `predict_top`, which returns labels with their probabilities"
_PREDICT = {"k": _PREDICT_TOP, "threshold": _PREDICT_TOP, "text": "`X`, a list of texts"}
_QUANTIZE = {
    "input": "the first argument, which may be a path",
    "retrain": "not needed: texts are given to train again, or not",
    "qnorm": "`separate_norms`",
    "qout": "`quantize_output`",
    "dsub": "`subvector_size`",
    **dict.fromkeys(("epoch", "lr", "thread"), "that of the classifier, as in `set_params(epochs=1)`"),
    "verbose": "`progress` of the classifier",
}
CLASSIFIERS = Names(
    {
        "lr": "`learning_rate`",
        "dim": "`vector_size`",
        "epoch": "`epochs`",
        "minCount": "`min_count`",
        "minCountLabel": "`min_label_count`",
        "minn": "`min_n`",
        "maxn": "`max_n`",
        "neg": "`negatives`",
        "wordNgrams": "`word_ngrams`",
        "bucket": "`buckets`",
        "thread": "`threads`",
        "lrUpdateRate": "not needed: the rate falls steadily",
        "ws": "not needed: all words of a text count",
        "t": "not needed: no word of a text is dropped, nor does fastText's classifier drop any",
        "label": "`fastvec.classify.LabelledLines(path, label_prefix='#')`, the argument of `fit`",
        "verbose": "`progress`",
        "pretrainedVectors": "`vectors`, which `fastvec.load(path)` reads",
        "input": "the argument of `fit`, which may be a path",
        "random_state": "`seed`",
        **dict.fromkeys(
            (
                *("autotuneValidationFile", "autotuneMetric", "autotunePredictions"),
                *("autotuneDuration", "autotuneModelSize"),
            ),
            _AUTOTUNE,
        ),
    },
    {
        **dict.fromkeys(("get_labels", "labels"), "`classes_`, with `label_counts_`"),
        "get_label_id": "`classes_.tolist().index(label)`",
        "get_line": "`fastvec.classify.read_labelled_lines(path)`",
        "get_word_vector": "`vectors_[word]`",
        "get_sentence_vector": "`vectors_.mean(words, unknown='skip')`, without n-grams",
        "get_word_id": "`vectors_.index(word, -1)`",
        **dict.fromkeys(("get_words", "words"), "`vectors_.words`"),
        "get_dimension": "`vectors_.vector_size`",
        "get_nearest_neighbors": "`vectors_.most_similar(word)`",
        "get_analogies": "`vectors_.analogy(a, b, c)`",
        "get_input_matrix": "`parameters_['input_vectors']`",
        "get_output_matrix": "`parameters_['output_vectors']`",
        "get_input_vector": "`parameters_['input_vectors'][row]`",
        **dict.fromkeys(("get_subwords", "get_subword_id"), "not there: `vectors_.ngrams` is of FastText"),
        "set_matrices": "`vectors`, which training starts from",
        "save_model": "`save`",
        "test": "`score_top(path)`",
        "test_label": "`score_top(path).by_label`",
        "get_meter": "`score_top(path)`, or scikit-learn's metrics with `predict_proba`",
        "is_quantized": "not there: what `quantize` returns, or `fastvec.classify.load` of an .ftz, is",
    },
    {"predict": _PREDICT, "quantize": _QUANTIZE},
)

# ---- vectors ---------------------------------------------------------------------------------------------


_FREEZE = "freeze= of the fit of a model, fit(corpus, start_from=vectors, freeze=words)"
_LOAD = "fastvec.load(path)"
_LOOK_UP = "vectors[word]"
_NGRAMS = "SubwordVectors, which FastText trains and fastvec.load reads from fastText's .bin"
_NORMS = "numpy.linalg.norm(vectors, axis=1)"
_SIMILAR = "most_similar(word)"
_SPEARMAN = "fastvec.evaluate.similarity(vectors, path)"
_UNIT = "postprocess(center=False, unit_length=True)"
_WITH = "with_words(words, vectors), which returns new vectors"

_OF_VECTORS = {
    # gensim's KeyedVectors and what it was before.
    "wv": "the vectors themselves",
    "accuracy": "fastvec.evaluate.analogies(vectors, path)",
    "add_vector": _WITH,
    "add_vectors": _WITH,
    "cosine_similarities": "similarities(word, words)",
    "distance": "1 - similarity(a, b)",
    "distances": "1 - similarities(word, words)",
    "evaluate_word_analogies": "fastvec.evaluate.analogies(vectors, path)",
    "evaluate_word_pairs": _SPEARMAN,
    "expandos": "counts",
    "fill_norms": _UNIT,
    "get_index": "index(word, default)",
    "get_mean_vector": "mean(words, weights, unit=True, unknown='skip')",
    "get_normed_vectors": _UNIT,
    "get_vecattr": "counts[index(word)]",
    "get_vector": "vectors[word], or mean([word], unit=True) at length 1",
    "has_index_for": "word in vectors",
    "index2entity": "words",
    "index2word": "words",
    "index_to_key": "words",
    "init_sims": _UNIT,
    "intersect_word2vec_format": "with_words(words, vectors)",
    "key_to_index": "index(word), or {word: row for row, word in enumerate(vectors)}",
    "load_word2vec_format": _LOAD,
    "most_similar_cosmul": "analogy(a, b, c, method='3cosmul')",
    "most_similar_to_given": "words[similarities(word, words).argmax()]",
    "norms": _NORMS,
    "rank_by_centrality": "similarities(mean(words, unit=True), words)",
    "save_word2vec_format": "save('your.bin'), or '.vec' for text",
    "similar_by_key": _SIMILAR,
    "similar_by_vector": "most_similar(vector)",
    "similar_by_word": _SIMILAR,
    "syn0": "vectors",
    "unit_normalize_all": _UNIT,
    "vectors_for_all": "subset(words)",
    "vectors_norm": _NORMS,
    "vocab": "words, counts and index(word)",
    "wmdistance": "word_movers_distance(words_a, words_b)",
    "word_vec": _LOOK_UP,
    "words_closer_than": "closer_than(word, other)",
    # fastText's module.
    "get_analogies": "analogy(a, b, c), which is b - a + c",
    "get_dimension": "vector_size",
    "get_input_matrix": "vectors, or input_vectors of SubwordVectors",
    "get_input_vector": "input_vectors[row] of SubwordVectors",
    "get_nearest_neighbors": _SIMILAR,
    "get_output_matrix": "output_vectors_ of the model, which fastvec.load_model(path) reads",
    "get_sentence_vector": "mean(words, unit=True, unknown='skip')",
    "get_subword_id": "ngrams(word) of SubwordVectors",
    "get_subwords": "ngrams(word) of SubwordVectors",
    "get_word_id": "index(word, -1)",
    "get_word_vector": _LOOK_UP,
    "get_words": "words",
    "save_model": "save(path)",
    # What only vectors with n-grams have.
    "input_vectors": _NGRAMS,
    "ngrams": _NGRAMS,
    "subwords": _NGRAMS,
    "load": _LOAD,
    "relative_cosine_similarity": "similarity(a, b) / sum(cosine for _, cosine in most_similar(a))",
    "resize_vectors": _WITH,
    "set_vecattr": "Vectors(words, vectors, counts), new ones with other counts",
    "similarity_unseen_docs": "n_similarity(words_a, words_b)",
    "sort_by_descending_frequency": "what training does: the most frequent word is first",
    "vectors_lockf": _FREEZE,
    "vectors_vocab_lockf": _FREEZE,
    "vectors_ngrams_lockf": _FREEZE,
    "vectors_vocab": "input_vectors[: len(vectors)] of SubwordVectors",
    "vectors_ngrams": "input_vectors[len(vectors) :] of SubwordVectors",
    "bucket": "subwords.buckets of SubwordVectors",
    **dict.fromkeys(("min_n", "minn"), "subwords.min_n of SubwordVectors"),
    **dict.fromkeys(("max_n", "maxn"), "subwords.max_n of SubwordVectors"),
    "dim": "vector_size",
    **dict.fromkeys(
        (
            *("lr", "epoch", "loss", "minCount", "neg", "t", "ws", "thread", "wordNgrams", "verbose"),
            *("label", "lrUpdateRate", "minCountLabel", "pretrainedVectors", "set_args"),
        ),
        "metadata, the parameters of the training if they are known",
    ),
    "get_line": "line.split()",
    "set_matrices": "SubwordVectors(words, input_vectors, subwords)",
    "is_quantized": "dtype='float16' of fastvec.load; classifiers alone are quantized",
    **dict.fromkeys(
        (
            *("get_labels", "labels", "get_label_id", "get_meter", "predict", "quantize"),
            *("test", "test_label"),
        ),
        "that of a classifier, fastvec.classify.load(path)",
    ),
}
_MOST_SIMILAR = {
    "restrict_vocab": "`restrict`",
    "clip_end": "`restrict`, which begins with the first word",
    "clip_start": "not there: subset(words) has the words to choose among",
    "indexer": "not needed: most_similar_batch is exact, and to_usearch(path) makes an index",
    "k": "`topn`",
}
_SAVE = {
    "binary": "not needed: the extension says it, .bin or .vec",
    "fvocab": "`counts`",
    "write_header": "not needed: .glove has none, and .vec has one",
    "sort_attr": "not needed: words keep their order",
    **dict.fromkeys(("append", "prefix", "total_vec"), "not there: a file is written as a whole"),
}
VECTORS = Names(attributes=_OF_VECTORS, methods={"most_similar": _MOST_SIMILAR, "save": _SAVE})

LOAD = {
    "binary": "not needed: the file says it",
    "no_header": "not needed: the file says it",
    "fvocab": "`counts`",
    "unicode_errors": "`errors`",
    "datatype": "`dtype`",
}

# gensim's `load_facebook_model` has it, and then computes n-grams from other bytes than fastText did.
LOAD_MODEL = {
    "encoding": "that of fastvec.load, whose vectors `start_from` of `fit` takes: training knows UTF-8"
}

# ---- the package -----------------------------------------------------------------------------------------

PACKAGE = {
    "Word2Vec": "SkipGram, or CBOW",
    "Doc2Vec": "DocVectors",
    "TaggedDocument": "DocVectors().fit(documents, tags=tags)",
    "KeyedVectors": "Vectors, which fastvec.load(path) reads",
    "Phraser": "Phrases",
    "FrozenPhrases": "Phrases",
    "LineSentence": "Corpus(path)",
    "PathLineSentences": "Corpus(folder)",
    "Text8Corpus": "Corpus(path)",
    **dict.fromkeys(("load_facebook_model", "load_fasttext_format"), "load_model(path)"),
    **dict.fromkeys(("load_facebook_vectors", "load_word2vec_format"), "load(path)"),
    **dict.fromkeys(("train_unsupervised", "skipgram", "cbow"), "FastText(...).fit(path)"),
    **dict.fromkeys(("train_supervised", "supervised"), "classify.TextClassifier(...).fit(path)"),
    "tokenize": "str.split()",
    "simple_preprocess": "re.findall(r'\\w+', text.lower())",
    "ENGLISH_CONNECTOR_WORDS": "Phrases.ENGLISH_CONNECTOR_WORDS",
    "TextClassifier": "fastvec.classify.TextClassifier",
    "save_facebook_model": "model.save('your.bin')",
    "downloader": "not there: nothing is downloaded, fastvec.load(path) reads what you have",
    "util": "not there: vectors.reduce(100) is fastText's reduce_model",
}
