"""Examples of every verb, at the end of its help."""

from __future__ import annotations

__all__ = ["EXAMPLES"]

EXAMPLES = {
    "": [
        "fastvec train wiki.txt.gz -o wiki.fvec",
        "fastvec neighbors wiki.fvec queen",
        "fastvec help train",
    ],
    "train": [
        "fastvec train wiki.txt.gz -o wiki.fvec --epochs 10",
        "fastvec train a.txt b.txt -o words.vec --model cbow --window 8 --lowercase",
        "fastvec train wiki.txt.gz -o wiki.bin --model fasttext --min-n 3 --max-n 5",
        "fastvec train wiki.txt.gz -o wiki.fvec --model glove --vector-size 300",
        "fastvec train wiki.txt.gz -o wiki.fvec --phrases 2 --checkpoint run.fvec --resume",
        "fastvec train wiki.txt.gz -o wiki.fvec --lanes 16 --processes 2",
        "fastvec train wiki.fvcounts -o wiki.fvec --model glove --ray auto",
        "fastvec train --config run.toml",
        "fastvec train --like wiki.fvec other.txt -o other.fvec",
    ],
    "plan": [
        "fastvec plan wiki.txt.gz --model skipgram --vector-size 300",
        "fastvec plan a.txt b.txt --model svd --vector-size 4 --json",
    ],
    "phrases": [
        "fastvec phrases wiki.txt.gz -o joined.txt.gz --passes 2 --save-phrases phrases.json",
        "fastvec phrases more.txt -o - --phrases phrases.json",
        "fastvec phrases 'wiki/*.txt' -o joined.txt --ray auto --folder /mnt/shared",
    ],
    "cooccur": [
        "fastvec cooccur wiki.txt.gz -o wiki.fvcounts --window 10",
        "fastvec train wiki.fvcounts -o wiki.fvec --model glove",
        "fastvec cooccur 'wiki/*.parquet' -o wiki.fvcounts --column text --ray auto --folder /mnt/shared",
        "fastvec cooccur 'wiki/*.txt' -o wiki.fvcounts --processes 2",
    ],
    "walks": [
        "fastvec walks edges.tsv -o walks.txt.gz",
        "fastvec walks edges.tsv -o walks.txt --p 0.5 --q 2",
        "fastvec train walks.txt -o nodes.fvec --min-count 1",
        "fastvec walks edges.tsv -o walks.txt --metapath user item user --types types.tsv",
    ],
    "autotune": [
        "fastvec autotune wiki.txt.gz -o best.fvec --budget 30m",
        "fastvec autotune a.txt -o items.fvec --objective next-item --checkpoint trials.json --resume",
        "fastvec autotune a.txt -o words.fvec --objective similarity --tests men.txt --model cbow",
        "fastvec autotune edges.tsv -o nodes.fvec --objective link --vector-size 128",
    ],
    "documents": [
        "fastvec documents train notes.txt -o notes.fvec",
        "fastvec help documents train",
    ],
    "documents train": [
        "fastvec documents train notes.txt -o notes.fvec --epochs 20 --save-model model.fvec",
        "fastvec documents train notes.txt --tags tags.tsv -o tags.fvec --model dm --word-vectors words.fvec",
        "fastvec neighbors notes.fvec 0",
    ],
    "documents infer": [
        "fastvec documents infer model.fvec more.txt > vectors.txt",
        "fastvec documents infer model.fvec --json < other.txt",
    ],
    "classify": [
        "fastvec classify train reviews.txt -o reviews.fvmodel",
        "fastvec help classify train",
    ],
    "classify train": [
        "fastvec classify train reviews.txt -o reviews.fvmodel --word-ngrams 2",
        "fastvec classify train reviews.txt -o reviews.fvmodel --vectors wiki.fvec",
    ],
    "classify autotune": [
        "fastvec classify autotune train.txt --validation valid.txt --seconds 60 -o reviews.fvmodel",
    ],
    "classify predict": [
        "fastvec classify predict reviews.fvmodel new.txt",
        "fastvec classify predict reviews.fvmodel new.txt -k 3 --probabilities",
    ],
    "classify evaluate": ["fastvec classify evaluate reviews.fvmodel test.txt"],
    "classify quantize": [
        "fastvec classify quantize reviews.fvmodel -o reviews.ftz",
        "fastvec classify quantize reviews.fvmodel -o small.ftz --cutoff 10000 --retrain reviews.txt",
    ],
    "tag": [
        "fastvec tag train train.conll -o tagger.fvmodel --vectors wiki.fvec",
        "fastvec help tag train",
    ],
    "tag train": ["fastvec tag train train.conll -o tagger.fvmodel --vectors wiki.fvec --hidden 100"],
    "tag predict": ["fastvec tag predict tagger.fvmodel new.txt -o tagged.txt"],
    "tag evaluate": ["fastvec tag evaluate tagger.fvmodel test.conll"],
    "neighbors": [
        "fastvec neighbors wiki.fvec queen",
        "fastvec neighbors wiki.fvec queen king -n 5 --json",
        "fastvec neighbors wiki.fvec < words.txt",
    ],
    "analogy": ["fastvec analogy wiki.fvec man king woman"],
    "stability": [
        "fastvec stability wiki.txt.gz --words queen king --runs 10 --vector-size 50",
        "fastvec stability a.txt --words queen -n 5 --model cbow --json",
    ],
    "explain": [
        "fastvec explain wiki.fvec queen king",
        "fastvec explain wiki.fvec queen king --text wiki.txt.gz",
    ],
    "evaluate": [
        "fastvec evaluate wiki.fvec --similarity wordsim353.txt men.txt --analogies questions-words.txt"
    ],
    "diff": [
        "fastvec diff 1850.fvec 1990.fvec",
        "fastvec diff '1850/*.fvec' '1990/*.fvec' -n 50 --json",
    ],
    "print-vectors": [
        "fastvec print-vectors wiki.fvec queen king",
        "fastvec print-vectors wiki.fvec < words.txt",
    ],
    "print-sentence-vectors": ['fastvec print-sentence-vectors wiki.fvec "the queen and the king"'],
    "print-ngrams": ["fastvec print-ngrams fasttext.fvec queenly"],
    "plot": [
        "fastvec plot wiki.fvec -o map.html",
        "fastvec plot wiki.fvec -o map.png -n 500",
    ],
    "convert": [
        "fastvec convert wiki.fvec wiki.bin",
        "fastvec convert glove.6B.100d.txt glove.fvec --limit 100000",
        "fastvec convert wiki.fvec better.vec --center --remove-top 1 --unit-length",
        "fastvec convert wiki.fvec small.fvec --order-dimensions --dimensions 50 --dtype int8",
    ],
    "combine": [
        "fastvec combine 1850.fvec 1990.fvec -o both.fvec",
        "fastvec combine 1850.fvec 1990.fvec wiki.fvec --weights 1 2 1 --words all -o three.bin",
    ],
    "retrofit": [
        "fastvec convert wiki.fvec unit.fvec --unit-length",
        "fastvec retrofit unit.fvec words.txt -o nearer.fvec",
    ],
    "info": ["fastvec info", "fastvec info wiki.fvec", "fastvec info --verify wiki.fvec"],
    "demo": ["fastvec demo"],
    "help": ["fastvec help train", "fastvec help classify predict"],
    "completion": [
        "fastvec completion bash > ~/.local/share/bash-completion/completions/fastvec",
        "fastvec completion zsh > ~/.zfunc/_fastvec",
        "fastvec completion fish > ~/.config/fish/completions/fastvec.fish",
    ],
    "man": ["fastvec man > ~/.local/share/man/man1/fastvec.1"],
}
