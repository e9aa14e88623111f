"""What of River is offered, and the ranges its signatures do not state.

This is data for `generate_catalogue`: which classes, in which group and role, and for parameters whose annotation says
less than a form needs, what they accept. Nothing here imports River.
"""

from __future__ import annotations

from typing import Any

type_ = dict[str, Any]


def number(low: float | None = None, high: float | None = None, *, over: bool = False, under: bool = False) -> type_:
    """Accept a number between two bounds; `over` and `under` leave the bound itself out."""
    return _bounded("number", low, high, over=over, under=under)


def integer(low: int | None = None, high: int | None = None) -> type_:
    """Accept a whole number between two bounds, both included."""
    return _bounded("integer", low, high, over=False, under=False)


def choice(*choices: str | int | bool) -> type_:
    """Accept one of some given values."""
    return {"type": "choice", "choices": list(choices)}


def use(*roles: str, task: str | None = None) -> type_:
    """Accept a nested component that can play one of these roles."""
    return {"type": "use", "roles": list(roles)} | ({"task": task} if task else {})


def list_of(of: type_, low: int, high: int) -> type_:
    """Accept a list of between `low` and `high` items."""
    return {"type": "list", "of": of, "min_items": low, "max_items": high}


def map_of(of: type_, high: int) -> type_:
    """Accept an object from names to values, with at most `high` names."""
    return {"type": "map", "of": of, "max_items": high}


def _bounded(kind: str, low: float | None, high: float | None, *, over: bool, under: bool) -> type_:
    accepts: type_ = {"type": kind}
    if low is not None:
        accepts["over" if over else "min"] = low
    if high is not None:
        accepts["under" if under else "max"] = high
    return accepts


TEXT: type_ = {"type": "text", "max_length": 200}
BOOLEAN: type_ = {"type": "boolean"}
NAMES = list_of(TEXT, 1, 200)
POSITIVE = number(0, over=True)
NOT_NEGATIVE = number(0)
SHARE = number(0, 1)
#: Weights that start further out leave no digits for what is learned.
START = number(-1_000_000, 1_000_000)
OPEN_SHARE = number(0, 1, over=True, under=True)
WINDOW = integer(2, 100_000)
GRAM_RANGE = {**list_of(integer(1, 10), 2, 2), "tuple": True}

# Annotations (and parts of them) that mean one thing everywhere.
ANNOTATIONS: dict[str, type_] = {
    "optim.base.Optimizer": use("optimizer"),
    "optim.base.Scheduler": use("scheduler"),
    "Scheduler": use("scheduler"),
    "optim.base.Initializer": use("initializer"),
    "optim.initializers.Initializer": use("initializer"),
    "optim.losses.BinaryLoss": use("binary_loss"),
    "optim.losses.RegressionLoss": use("regression_loss"),
    "optim.losses.MultiClassLoss": use("multiclass_loss"),
    "base.DriftDetector": use("drift_detector"),
    "Splitter": use("splitter"),
    "spl.Splitter": use("splitter"),
    "tree.splitter.Quantizer": use("quantizer"),
    "BaseNN": use("neighbour_search"),
    "base.Classifier": use("classifier", task="same"),
    "base.Regressor": use("regressor", task="regression"),
    "base.Estimator": use("classifier", "regressor", task="same"),
    "list[base.Classifier]": list_of(use("classifier", task="same"), 2, 20),
    "list[base.Regressor]": list_of(use("regressor", task="regression"), 2, 20),
    "bandit.base.Policy": use("bandit_policy"),
    "metrics.base.ClassificationMetric": use("classification_metric"),
    "ClassificationMetric": use("classification_metric"),
    "metrics.base.MultiClassMetric": use("classification_metric"),
    "metrics.base.RegressionMetric": use("regression_metric"),
    "RegressionMetric": use("regression_metric"),
    "stats.base.Univariate": use("statistic"),
    "bool": BOOLEAN,
    "str": TEXT,
}

# A parameter of this name means the same in every class that has it, unless `PARAMETERS` says otherwise.
BY_NAME: dict[str, list[type_]] = {
    "n_models": [integer(1, 100)],
    "n_estimators": [integer(1, 100)],
    "n_trees": [integer(1, 100)],
    "height": [integer(1, 12)],
    "n_neighbors": [integer(1, 200)],
    "n_components": [integer(1, 1000)],
    "n_factors": [integer(1, 100)],
    "n_features": [integer(1, 2**24)],
    "window_size": [WINDOW],
    "max_depth": [integer(1, 60)],
    "max_nodes": [integer(3, 1_000_000)],
    "max_size": [number(0.1, 512)],
    "memory_estimate_period": [integer(100, 100_000_000)],
    "grace_period": [integer(1, 1_000_000)],
    "nb_threshold": [integer(0, 1_000_000)],
    "min_samples_split": [integer(1, 1_000_000)],
    "min_samples_reevaluate": [integer(1, 1_000_000)],
    "delta": [OPEN_SHARE],
    "tau": [SHARE],
    "min_branch_fraction": [number(0, 0.5)],
    "max_share_to_split": [number(0, 1, over=True)],
    "switch_significance": [OPEN_SHARE],
    "drift_window_threshold": [integer(1, 1_000_000)],
    "model_selector_decay": [number(0, 1, over=True)],
    "lambda_value": [integer(1, 100)],
    "lam": [integer(1, 100)],
    "max_features": [choice("sqrt", "log2"), integer(1, 10_000), number(0, 1, over=True)],
    "split_criterion": [choice("info_gain", "gini", "hellinger")],
    "aggregation_method": [choice("mean", "median")],
    "nominal_attributes": [NAMES],
    "lr": [POSITIVE, use("scheduler")],
    "intercept_lr": [NOT_NEGATIVE, use("scheduler")],
    "l1": [NOT_NEGATIVE],
    "l2": [NOT_NEGATIVE],
    "l1_weight": [NOT_NEGATIVE],
    "l2_weight": [NOT_NEGATIVE],
    "l1_latent": [NOT_NEGATIVE],
    "l2_latent": [NOT_NEGATIVE],
    "clip_gradient": [POSITIVE],
    "intercept_init": [number()],
    "intercept": [number()],
    "init_pred": [number()],
    "fill_value": [number()],
    "bias_name": [TEXT],
    "beta_1": [number(0, 1, under=True)],
    "beta_2": [number(0, 1, under=True)],
    "eps": [POSITIVE],
    "rho": [number(0, 1, under=True)],
    "alpha": [POSITIVE],
    "fading_factor": [number(0, 1, over=True)],
    "ngram_range": [GRAM_RANGE],
    "on": [TEXT],
    "burn_in": [integer(0, 1_000_000)],
    "ddof": [integer(0, 10)],
    "budget": [integer(10, 10_000_000)],
    "learning_rate": [POSITIVE],
}

_LEAF_CLASSIFIER = [choice("mc", "nb", "nba")]
_LEAF_REGRESSOR = [choice("mean", "model", "adaptive")]

# Exceptions, as `class.parameter`.
PARAMETERS: dict[str, list[type_]] = {
    **{
        f"{path}.leaf_prediction": _LEAF_CLASSIFIER
        for path in (
            "tree.HoeffdingTreeClassifier",
            "tree.HoeffdingAdaptiveTreeClassifier",
            "tree.ExtremelyFastDecisionTreeClassifier",
            "tree.LASTClassifier",
            "forest.ARFClassifier",
        )
    },
    **{
        f"{path}.leaf_prediction": _LEAF_REGRESSOR
        for path in (
            "tree.HoeffdingTreeRegressor",
            "tree.HoeffdingAdaptiveTreeRegressor",
            "forest.ARFRegressor",
            "forest.OXTRegressor",
        )
    },
    "linear_model.ALMAClassifier.p": [integer(2, 10)],
    "linear_model.ALMAClassifier.alpha": [number(0, 1, over=True)],
    "linear_model.ALMAClassifier.B": [POSITIVE],
    "linear_model.ALMAClassifier.C": [POSITIVE],
    "linear_model.AdPredictor.beta": [POSITIVE],
    "linear_model.AdPredictor.prior_probability": [OPEN_SHARE],
    "linear_model.AdPredictor.epsilon": [SHARE],
    "linear_model.BayesianLinearRegression.beta": [POSITIVE],
    "linear_model.BayesianLinearRegression.smoothing": [OPEN_SHARE],
    "linear_model.PAClassifier.C": [POSITIVE],
    "linear_model.PAClassifier.mode": [choice(1, 2)],
    "linear_model.PARegressor.C": [POSITIVE],
    "linear_model.PARegressor.mode": [choice(1, 2)],
    "linear_model.PARegressor.eps": [NOT_NEGATIVE],
    "tree.SGTClassifier.lambda_value": [NOT_NEGATIVE],
    "tree.SGTClassifier.gamma": [NOT_NEGATIVE],
    "tree.SGTRegressor.lambda_value": [NOT_NEGATIVE],
    "tree.SGTRegressor.gamma": [NOT_NEGATIVE],
    "forest.AMFClassifier.step": [POSITIVE],
    "forest.AMFClassifier.dirichlet": [number(0, 1, over=True)],
    "forest.AMFRegressor.step": [POSITIVE],
    "forest.OXTRegressor.resampling_strategy": [choice("bagging", "subbagging")],
    "forest.OXTRegressor.resampling_rate": [number(0, 1, over=True), integer(1, 100)],
    "forest.OXTRegressor.detection_mode": [choice("all", "drop", "off")],
    "forest.OXTRegressor.split_buffer_size": [integer(1, 10_000)],
    "ensemble.BOLEClassifier.error_bound": [OPEN_SHARE],
    "ensemble.LeveragingBaggingClassifier.w": [POSITIVE],
    "ensemble.LeveragingBaggingClassifier.adwin_delta": [OPEN_SHARE],
    "ensemble.LeveragingBaggingClassifier.bagging_method": [choice("bag", "me", "half", "wt", "subag")],
    "ensemble.SRPClassifier.model": [use("classifier", task="same")],
    "ensemble.SRPClassifier.subspace_size": [number(0, 1, over=True), integer(1, 10_000), choice("sqrt", "rmsqrt")],
    "ensemble.SRPClassifier.training_method": [choice("subspaces", "resampling", "patches")],
    "ensemble.SRPClassifier.disable_detector": [choice("off", "drift", "warning")],
    "ensemble.SRPRegressor.model": [use("regressor", task="regression")],
    "ensemble.SRPRegressor.subspace_size": [number(0, 1, over=True), integer(1, 10_000), choice("sqrt", "rmsqrt")],
    "ensemble.SRPRegressor.training_method": [choice("subspaces", "resampling", "patches")],
    "ensemble.SRPRegressor.disable_detector": [choice("off", "drift", "warning")],
    "ensemble.SRPRegressor.drift_detection_criteria": [choice("error", "prediction")],
    "naive_bayes.BernoulliNB.true_threshold": [number()],
    "neighbors.KNNClassifier.cleanup_every": [integer(0, 1_000_000)],
    "neighbors.KNNRegressor.aggregation_method": [choice("mean", "median", "weighted_mean")],
    "neighbors.LazySearch.min_distance_keep": [NOT_NEGATIVE],
    "neighbors.LazySearch.window_size": [integer(1, 10_000)],
    "neighbors.SWINN.graph_k": [integer(1, 200)],
    "neighbors.SWINN.maxlen": [integer(10, 50_000)],
    "neighbors.SWINN.warm_up": [integer(10, 50_000)],
    "neighbors.SWINN.max_candidates": [integer(1, 1_000)],
    "neighbors.SWINN.prune_prob": [SHARE],
    "neighbors.SWINN.n_iters": [integer(1, 100)],
    "multiclass.OneVsOneClassifier.classifier": [use("classifier", task="binary")],
    "multiclass.OneVsRestClassifier.classifier": [use("classifier", task="binary")],
    "multiclass.OutputCodeClassifier.classifier": [use("classifier", task="binary")],
    "multiclass.OutputCodeClassifier.code_size": [integer(2, 64)],
    "multiclass.OutputCodeClassifier.coding_method": [choice("random", "exhaustive")],
    "model_selection.BanditClassifier.models": [list_of(use("classifier", task="same"), 2, 20)],
    "model_selection.BanditRegressor.models": [list_of(use("regressor", task="regression"), 2, 20)],
    "model_selection.SuccessiveHalvingClassifier.models": [list_of(use("classifier", task="same"), 2, 50)],
    "model_selection.SuccessiveHalvingRegressor.models": [list_of(use("regressor", task="regression"), 2, 50)],
    "model_selection.SuccessiveHalvingClassifier.metric": [use("classification_metric")],
    "model_selection.SuccessiveHalvingRegressor.metric": [use("regression_metric")],
    "model_selection.SuccessiveHalvingClassifier.eta": [number(1, 10, over=True)],
    "model_selection.SuccessiveHalvingRegressor.eta": [number(1, 10, over=True)],
    "bandit.EpsilonGreedy.epsilon": [SHARE],
    "bandit.EpsilonGreedy.decay": [NOT_NEGATIVE],
    "bandit.Exp3.gamma": [number(0, 1, over=True)],
    "bandit.UCB.delta": [POSITIVE],
    "dummy.StatisticRegressor.statistic": [use("statistic")],
    "rules.AMRules.n_min": [integer(1, 1_000_000)],
    "rules.AMRules.m_min": [integer(1, 1_000_000)],
    "rules.AMRules.pred_type": [choice("mean", "model", "adaptive")],
    "rules.AMRules.anomaly_threshold": [number()],
    "imblearn.ChebyshevUnderSampler.sp": [OPEN_SHARE],
    "imblearn.HardSamplingClassifier.size": [integer(1, 10_000)],
    "imblearn.HardSamplingClassifier.p": [SHARE],
    "imblearn.HardSamplingClassifier.classifier": [use("classifier", task="binary")],
    "imblearn.HardSamplingClassifier.loss": [use("binary_loss")],
    "imblearn.HardSamplingRegressor.size": [integer(1, 10_000)],
    "imblearn.HardSamplingRegressor.p": [SHARE],
    "facto.HOFMClassifier.degree": [integer(2, 5)],
    "facto.HOFMRegressor.degree": [integer(2, 5)],
    "preprocessing.Binarizer.threshold": [number()],
    "preprocessing.Normalizer.order": [integer(1, 10)],
    "preprocessing.RobustScaler.q_inf": [SHARE],
    "preprocessing.RobustScaler.q_sup": [SHARE],
    "preprocessing.SparseRandomProjector.density": [number(0, 1, over=True)],
    "preprocessing.OrdinalEncoder.unknown_value": [integer()],
    "preprocessing.OrdinalEncoder.none_value": [integer()],
    "preprocessing.PredClipper.y_min": [number()],
    "preprocessing.PredClipper.y_max": [number()],
    "preprocessing.GapEncoder.gamma_shape_prior": [POSITIVE],
    "preprocessing.GapEncoder.gamma_scale_prior": [POSITIVE],
    "preprocessing.GapEncoder.half_life": [POSITIVE],
    "preprocessing.GapEncoder.max_iter_e_step": [integer(1, 1_000)],
    "feature_extraction.Agg.by": [TEXT, NAMES],
    "feature_extraction.TargetAgg.by": [TEXT, NAMES],
    "feature_extraction.Agg.how": [use("statistic")],
    "feature_extraction.TargetAgg.how": [use("statistic")],
    "feature_extraction.BagOfWords.stop_words": [list_of(TEXT, 1, 1000)],
    "feature_extraction.TFIDF.stop_words": [list_of(TEXT, 1, 1000)],
    "feature_extraction.PolynomialExtender.degree": [integer(1, 5)],
    "feature_extraction.RBFSampler.gamma": [POSITIVE],
    "feature_selection.PoissonInclusion.p": [number(0, 1, over=True)],
    "feature_selection.SelectKBest.k": [integer(1, 10_000)],
    "feature_selection.SelectKBest.similarity": [use("similarity")],
    "feature_selection.VarianceThreshold.threshold": [NOT_NEGATIVE],
    "feature_selection.VarianceThreshold.min_samples": [integer(1, 1_000_000)],
    "compose.Discard.keys": [NAMES],
    "compose.Select.keys": [NAMES],
    "compose.Renamer.mapping": [map_of(TEXT, 200)],
    "compose.Grouper.by": [TEXT, NAMES],
    "compose.TransformerProduct.transformers": [list_of(use("transformer"), 2, 5)],
    "compose.Grouper.transformer": [use("transformer")],
    "optim.AdaBound.gamma": [OPEN_SHARE],
    "optim.AdaBound.final_lr": [POSITIVE],
    "optim.Averager.start": [integer(0, 1_000_000)],
    "optim.FTRLProximal.beta": [NOT_NEGATIVE],
    "optim.losses.BinaryFocalLoss.gamma": [NOT_NEGATIVE],
    "optim.losses.BinaryFocalLoss.beta": [NOT_NEGATIVE],
    "optim.losses.Cauchy.C": [POSITIVE],
    "optim.losses.EpsilonInsensitiveHinge.eps": [NOT_NEGATIVE],
    "optim.losses.Hinge.threshold": [number()],
    "optim.losses.Huber.epsilon": [POSITIVE],
    "optim.losses.Log.weight_pos": [POSITIVE],
    "optim.losses.Log.weight_neg": [POSITIVE],
    "optim.losses.Quantile.alpha": [OPEN_SHARE],
    "optim.schedulers.InverseScaling.power": [NOT_NEGATIVE],
    "optim.schedulers.Optimal.loss": [use("binary_loss", "regression_loss")],
    "optim.initializers.Constant.value": [START],
    "optim.initializers.Normal.mu": [START],
    "optim.initializers.Normal.sigma": [number(0, 1_000_000)],
    "drift.ADWIN.clock": [integer(1, 100_000)],
    "drift.ADWIN.max_buckets": [integer(1, 100)],
    "drift.ADWIN.min_window_length": [integer(1, 100_000)],
    "drift.KSWIN.alpha": [OPEN_SHARE],
    "drift.KSWIN.stat_size": [integer(2, 10_000)],
    "drift.KSWIN.window_size": [integer(4, 20_000)],
    "drift.PageHinkley.min_instances": [integer(1, 1_000_000)],
    "drift.PageHinkley.delta": [NOT_NEGATIVE],
    "drift.PageHinkley.threshold": [POSITIVE],
    "drift.PageHinkley.alpha": [number(0, 1, over=True)],
    "drift.PageHinkley.mode": [choice("up", "down", "both")],
    "drift.binary.DDM.warm_start": [integer(1, 1_000_000)],
    "drift.binary.DDM.warning_threshold": [POSITIVE],
    "drift.binary.DDM.drift_threshold": [POSITIVE],
    "drift.binary.EDDM.warm_start": [integer(1, 1_000_000)],
    "drift.binary.EDDM.alpha": [OPEN_SHARE],
    "drift.binary.EDDM.beta": [OPEN_SHARE],
    "drift.binary.FHDDM.sliding_window_size": [integer(2, 100_000)],
    "drift.binary.FHDDM.confidence_level": [OPEN_SHARE],
    "drift.binary.FHDDM.short_window_size": [integer(2, 100_000)],
    "drift.binary.HDDMA.drift_confidence": [OPEN_SHARE],
    "drift.binary.HDDMA.warning_confidence": [OPEN_SHARE],
    "drift.binary.HDDMW.drift_confidence": [OPEN_SHARE],
    "drift.binary.HDDMW.warning_confidence": [OPEN_SHARE],
    "drift.binary.HDDMW.lambda_val": [OPEN_SHARE],
    "drift.DriftRetrainingClassifier.drift_detector": [use("warning_detector")],
    "tree.splitter.DynamicQuantizer.radius": [POSITIVE],
    "tree.splitter.DynamicQuantizer.std_prop": [POSITIVE],
    "tree.splitter.GaussianSplitter.n_splits": [integer(1, 1_000)],
    "tree.splitter.HistogramSplitter.n_bins": [integer(2, 10_000)],
    "tree.splitter.HistogramSplitter.n_splits": [integer(1, 1_000)],
    "tree.splitter.QOSplitter.radius": [POSITIVE],
    "tree.splitter.StaticQuantizer.n_bins": [integer(2, 1_000)],
    "tree.splitter.StaticQuantizer.warm_start": [integer(1, 100_000)],
    "tree.splitter.TEBSTSplitter.digits": [integer(0, 15)],
    **{f"metrics.{name}.beta": [number(0, 100, over=True)] for name in ("FBeta", "MacroFBeta", "WeightedFBeta")},
    "metrics.ROCAUC.n_thresholds": [integer(3, 50)],
    "stats.Quantile.q": [SHARE],
    "stats.IQR.q_inf": [SHARE],
    "stats.IQR.q_sup": [SHARE],
    "stats.RollingIQR.q_inf": [SHARE],
    "stats.RollingIQR.q_sup": [SHARE],
    "stats.RollingIQR.window_size": [integer(1, 100_000)],
    "stats.RollingPeakToPeak.window_size": [integer(1, 100_000)],
    "stats.RollingAbsMax.window_size": [integer(1, 100_000)],
    "stats.AutoCorr.lag": [integer(1, 1_000)],
    "stats.RollingQuantile.q": [SHARE],
    "stats.RollingQuantile.window_size": [integer(1, 100_000)],
    "stats.RollingMax.window_size": [integer(1, 100_000)],
    "stats.RollingMin.window_size": [integer(1, 100_000)],
    "stats.BayesianMean.prior": [number()],
    "stats.BayesianMean.prior_weight": [POSITIVE],
    "stats.Mode.k": [integer(1, 10_000)],
    "stats.Shift.amount": [integer(1, 1_000)],
}
