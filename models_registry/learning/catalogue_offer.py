"""Which River classes are offered, in which group and role.

This is data for `generate_catalogue`; nothing here imports River.
"""

from __future__ import annotations

from typing import Any

CLASSIFIER, REGRESSOR, TRANSFORMER = ("classifier",), ("regressor",), ("transformer",)

# group title -> roles -> class paths
OFFER: dict[str, list[tuple[tuple[str, ...], list[str]]]] = {
    "Linear models": [
        (
            CLASSIFIER,
            [
                "linear_model.LogisticRegression",
                "linear_model.SoftmaxRegression",
                "linear_model.Perceptron",
                "linear_model.PAClassifier",
                "linear_model.ALMAClassifier",
                "linear_model.AdPredictor",
            ],
        ),
        (
            REGRESSOR,
            ["linear_model.LinearRegression", "linear_model.PARegressor", "linear_model.BayesianLinearRegression"],
        ),
    ],
    "Trees": [
        (
            CLASSIFIER,
            [
                "tree.HoeffdingTreeClassifier",
                "tree.HoeffdingAdaptiveTreeClassifier",
                "tree.ExtremelyFastDecisionTreeClassifier",
                "tree.LASTClassifier",
                "tree.SGTClassifier",
            ],
        ),
        (REGRESSOR, ["tree.HoeffdingTreeRegressor", "tree.HoeffdingAdaptiveTreeRegressor", "tree.SGTRegressor"]),
    ],
    "Forests": [
        (CLASSIFIER, ["forest.ARFClassifier", "forest.AMFClassifier"]),
        (REGRESSOR, ["forest.ARFRegressor", "forest.AMFRegressor", "forest.OXTRegressor"]),
    ],
    "Ensembles": [
        (
            CLASSIFIER,
            [
                "ensemble.BaggingClassifier",
                "ensemble.ADWINBaggingClassifier",
                "ensemble.LeveragingBaggingClassifier",
                "ensemble.AdaBoostClassifier",
                "ensemble.ADWINBoostingClassifier",
                "ensemble.BOLEClassifier",
                "ensemble.SRPClassifier",
                "ensemble.StackingClassifier",
                "ensemble.VotingClassifier",
            ],
        ),
        (REGRESSOR, ["ensemble.BaggingRegressor", "ensemble.EWARegressor", "ensemble.SRPRegressor"]),
    ],
    "Naive Bayes": [
        (
            CLASSIFIER,
            [
                "naive_bayes.GaussianNB",
                "naive_bayes.BernoulliNB",
                "naive_bayes.MultinomialNB",
                "naive_bayes.ComplementNB",
            ],
        )
    ],
    "Neighbours": [
        (CLASSIFIER, ["neighbors.KNNClassifier"]),
        (REGRESSOR, ["neighbors.KNNRegressor"]),
        (("neighbour_search",), ["neighbors.LazySearch", "neighbors.SWINN"]),
    ],
    "Rules": [(REGRESSOR, ["rules.AMRules"])],
    "Factorisation machines": [
        (
            CLASSIFIER,
            ["facto.FMClassifier", "facto.FFMClassifier", "facto.FwFMClassifier", "facto.HOFMClassifier"],
        ),
        (REGRESSOR, ["facto.FMRegressor", "facto.FFMRegressor", "facto.FwFMRegressor", "facto.HOFMRegressor"]),
    ],
    "Many classes from two": [
        (
            CLASSIFIER,
            ["multiclass.OneVsRestClassifier", "multiclass.OneVsOneClassifier", "multiclass.OutputCodeClassifier"],
        )
    ],
    "Imbalance": [
        (CLASSIFIER, ["imblearn.HardSamplingClassifier"]),
        (
            REGRESSOR,
            ["imblearn.ChebyshevOverSampler", "imblearn.ChebyshevUnderSampler", "imblearn.HardSamplingRegressor"],
        ),
    ],
    "Model selection": [
        (
            CLASSIFIER,
            [
                "model_selection.BanditClassifier",
                "model_selection.SuccessiveHalvingClassifier",
                "drift.DriftRetrainingClassifier",
            ],
        ),
        (
            REGRESSOR,
            [
                "model_selection.BanditRegressor",
                "model_selection.GreedyRegressor",
                "model_selection.SuccessiveHalvingRegressor",
            ],
        ),
        (
            ("bandit_policy",),
            [
                "bandit.EpsilonGreedy",
                "bandit.UCB",
                "bandit.BayesUCB",
                "bandit.RandomPolicy",
            ],
        ),
    ],
    "Target transforms": [
        (
            REGRESSOR,
            ["preprocessing.TargetStandardScaler", "preprocessing.TargetMinMaxScaler", "preprocessing.PredClipper"],
        )
    ],
    "Baselines": [
        (CLASSIFIER, ["dummy.NoChangeClassifier", "dummy.PriorClassifier"]),
        (REGRESSOR, ["dummy.StatisticRegressor"]),
    ],
    "Preprocessing": [
        (
            TRANSFORMER,
            [
                "preprocessing.StandardScaler",
                "preprocessing.AdaptiveStandardScaler",
                "preprocessing.MinMaxScaler",
                "preprocessing.MaxAbsScaler",
                "preprocessing.RobustScaler",
                "preprocessing.Normalizer",
                "preprocessing.Binarizer",
                "preprocessing.OneHotEncoder",
                "preprocessing.OrdinalEncoder",
                "preprocessing.FeatureHasher",
                "preprocessing.PreviousImputer",
                "preprocessing.GaussianRandomProjector",
                "preprocessing.SparseRandomProjector",
                "preprocessing.GapEncoder",
            ],
        )
    ],
    "Feature extraction": [
        (
            TRANSFORMER,
            [
                "feature_extraction.PolynomialExtender",
                "feature_extraction.RBFSampler",
                "feature_extraction.BagOfWords",
                "feature_extraction.TFIDF",
                "feature_extraction.Agg",
                "feature_extraction.TargetAgg",
            ],
        )
    ],
    "Feature selection": [
        (
            TRANSFORMER,
            [
                "feature_selection.VarianceThreshold",
                "feature_selection.SelectKBest",
                "feature_selection.PoissonInclusion",
            ],
        )
    ],
    "Columns": [
        (
            TRANSFORMER,
            [
                "compose.Select",
                "compose.Discard",
                "compose.Renamer",
                "compose.Prefixer",
                "compose.Suffixer",
                "compose.Grouper",
                "compose.TransformerProduct",
            ],
        )
    ],
    "Optimisers": [
        (
            ("optimizer",),
            [
                "optim.SGD",
                "optim.Momentum",
                "optim.NesterovMomentum",
                "optim.AdaGrad",
                "optim.AdaDelta",
                "optim.RMSProp",
                "optim.Adam",
                "optim.AdaMax",
                "optim.AMSGrad",
                "optim.AdaBound",
                "optim.Nadam",
                "optim.FTRLProximal",
                "optim.Averager",
            ],
        ),
        (
            ("scheduler",),
            ["optim.schedulers.Constant", "optim.schedulers.InverseScaling", "optim.schedulers.Optimal"],
        ),
        (
            ("initializer",),
            ["optim.initializers.Zeros", "optim.initializers.Normal", "optim.initializers.Constant"],
        ),
    ],
    "Losses": [
        (("binary_loss",), ["optim.losses.Log", "optim.losses.Hinge", "optim.losses.BinaryFocalLoss"]),
        (
            ("regression_loss",),
            [
                "optim.losses.Squared",
                "optim.losses.Absolute",
                "optim.losses.Huber",
                "optim.losses.EpsilonInsensitiveHinge",
                "optim.losses.Quantile",
                "optim.losses.Cauchy",
                "optim.losses.Poisson",
            ],
        ),
        (("multiclass_loss",), ["optim.losses.CrossEntropy"]),
    ],
    "Drift detectors": [
        (("drift_detector",), ["drift.ADWIN", "drift.KSWIN", "drift.PageHinkley", "drift.NoDrift"]),
        (
            ("warning_detector", "binary_drift_detector"),
            ["drift.binary.DDM", "drift.binary.EDDM", "drift.binary.HDDMA", "drift.binary.HDDMW"],
        ),
        (("binary_drift_detector",), ["drift.binary.FHDDM"]),
    ],
    "Tree parts": [
        (
            ("splitter",),
            [
                "tree.splitter.GaussianSplitter",
                "tree.splitter.HistogramSplitter",
                "tree.splitter.ExhaustiveSplitter",
                "tree.splitter.EBSTSplitter",
                "tree.splitter.TEBSTSplitter",
                "tree.splitter.QOSplitter",
            ],
        ),
        (("quantizer",), ["tree.splitter.StaticQuantizer", "tree.splitter.DynamicQuantizer"]),
    ],
    "Statistics": [
        (
            ("statistic",),
            [
                "stats.Mean",
                "stats.EWMean",
                "stats.BayesianMean",
                "stats.Sum",
                "stats.Count",
                "stats.Var",
                "stats.EWVar",
                "stats.SEM",
                "stats.Skew",
                "stats.Kurtosis",
                "stats.Quantile",
                "stats.IQR",
                "stats.MAD",
                "stats.Entropy",
                "stats.PeakToPeak",
                "stats.AbsMax",
                "stats.AutoCorr",
                "stats.RollingMin",
                "stats.RollingMax",
                "stats.RollingQuantile",
                "stats.RollingIQR",
                "stats.RollingPeakToPeak",
                "stats.RollingAbsMax",
                "stats.Shift",
            ],
        ),
        (("similarity",), ["stats.PearsonCorr", "stats.Cov"]),
    ],
    "Metrics": [
        (
            ("classification_metric", "run_metric"),
            [
                "metrics.Accuracy",
                "metrics.BalancedAccuracy",
                "metrics.F1",
                "metrics.FBeta",
                "metrics.Precision",
                "metrics.Recall",
                "metrics.MCC",
                "metrics.CohenKappa",
                "metrics.MacroF1",
                "metrics.MacroFBeta",
                "metrics.MacroPrecision",
                "metrics.MacroRecall",
                "metrics.WeightedF1",
                "metrics.WeightedFBeta",
            ],
        ),
        (("run_metric",), ["metrics.ROCAUC", "metrics.LogLoss", "metrics.CrossEntropy"]),
        (
            ("regression_metric", "run_metric"),
            ["metrics.MAE", "metrics.RMSE", "metrics.MSE", "metrics.R2", "metrics.MAPE", "metrics.SMAPE"],
        ),
    ],
}

# Parameters nobody sets here: the seed is the run's, callables and files cannot be described, and River's own
# bookkeeping is not a choice. `*` stands for every class.
HIDDEN: set[str] = {
    "*.seed",
    "*.preprocessor",
    "*.tokenizer",
    "*.tokenizer_pattern",
    "*.dist_func",
    "*.reward_obj",
    "*.reward_scaler",
    "*.verbose",
    "*.print_kwargs",
    "*.categories",
    "*.limits",
    "*.class_weight",
    "*.cm",
    "*.pos_val",
    "drift.KSWIN.window",
    "drift.DriftRetrainingClassifier.train_in_background",
    "preprocessing.Binarizer.dtype",
    "preprocessing.GapEncoder.ngram_range",
    "tree.splitter.StaticQuantizer.buckets",
    "feature_extraction.TargetAgg.target_name",
}

# What the portal sets differently from River when a spec says nothing: sizes. River looks at a tree's size every one or
# two million events and lets it grow to 100 MB, or each tree of a forest; a checkpoint has to stay storable.
_TREE = {"max_size": 32.0, "memory_estimate_period": 20_000}
_FOREST = {"max_size": 4.0, "memory_estimate_period": 20_000}
DEFAULTS: dict[str, dict[str, Any]] = {
    **{
        f"tree.{name}": _TREE
        for name in (
            "HoeffdingTreeClassifier",
            "HoeffdingAdaptiveTreeClassifier",
            "ExtremelyFastDecisionTreeClassifier",
            "LASTClassifier",
            "HoeffdingTreeRegressor",
            "HoeffdingAdaptiveTreeRegressor",
        )
    },
    **{f"forest.{name}": _FOREST for name in ("ARFClassifier", "ARFRegressor", "OXTRegressor")},
    # River has none: twice is what F-beta is most used with.
    **{f"metrics.{name}": {"beta": 2.0} for name in ("FBeta", "MacroFBeta", "WeightedFBeta")},
    "forest.AMFClassifier": {"max_nodes": 10_000},
    "forest.AMFRegressor": {"max_nodes": 10_000},
    "ensemble.SRPClassifier": {
        "model": {
            "use": "tree.HoeffdingTreeClassifier",
            "params": {"grace_period": 50, "delta": 0.01, **_FOREST},
        }
    },
    "ensemble.SRPRegressor": {
        "model": {
            "use": "tree.HoeffdingTreeRegressor",
            "params": {"grace_period": 50, "delta": 0.01, **_FOREST},
        }
    },
}

# Classifiers for which River's own flag says less than the truth.
BINARY_ONLY: set[str] = {"imblearn.HardSamplingClassifier"}
MULTICLASS_TOO: set[str] = set()
