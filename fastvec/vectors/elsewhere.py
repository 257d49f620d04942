"""What gensim and fastText call things, and what they are called here.

`Vectors` has none of these names. Whoever types one is told ours by the AttributeError.
"""

from __future__ import annotations

__all__ = ["NAMES_HERE"]

_LOAD = "fastvec.load(path)"
_LOOK_UP = "vectors[word]"
_NGRAMS = "SubwordVectors, which FastText trains and fastvec.load reads from fastText's .bin"
_NORMS = "numpy.linalg.norm(vectors, axis=1)"
_SIMILAR = "most_similar(word)"
_SPEARMAN = "fastvec.evaluate.similarity(vectors, path)"
_UNIT = "postprocess(center=False, unit_length=True)"
_WITH = "with_words(words, vectors), which returns new vectors"

NAMES_HERE = {
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
    "get_vector": _LOOK_UP,
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
}
