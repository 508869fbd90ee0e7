"""What pandas, numpy and scikit-learn functions do to rows: the role table, as data.

Names are enough for a forecast: a method of this name on a value that carries rows does what is said here. What is
not in the table keeps the rows, as most methods do.
"""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


REDUCTIONS = _names(
    """mean median std var min max sum quantile mode nunique value_counts corr corrwith cov describe skew kurt kurtosis
    sem prod product any all count idxmin idxmax argmin argmax first_valid_index last_valid_index item unique keys
    memory_usage info mad nanmean equals ptp"""
)
"""Rows in, none out."""

NUMPY_REDUCTIONS = _names(
    """mean median std var min max amin amax sum prod quantile percentile nanmean nanmedian nanstd nanvar nanmin nanmax
    nansum nanpercentile nanquantile average unique corrcoef cov ptp argmax argmin histogram bincount count_nonzero any
    all shape size ndim histogram_bin_edges"""
)

VALUE_ATTRIBUTES = _names(
    "columns shape size dtypes dtype empty ndim name names feature_names target_names DESCR n_features_in_"
)
"""Attributes of rows that have no entry per row."""

HANDLE_ATTRIBUTES = _names("str dt cat loc iloc at iat sparse list struct")

HISTORY = _names(
    """shift diff pct_change rolling expanding ewm cumsum cumprod cummax cummin cumcount ffill bfill pad backfill
    interpolate"""
)
"""F6: the result at a row needs the rows before it (or after it, F15)."""

NUMPY_HISTORY = _names("diff cumsum cumprod roll gradient convolve ediff1d nancumsum nancumprod")

FUTURE = frozenset({"bfill", "backfill"})

WINDOWS = frozenset({"rolling", "expanding", "ewm", "resample"})

GROUP_ROWS = frozenset({*HISTORY, "rank", "transform", "ngroup", "head", "tail", "nth", "filter", "sample"})
"""Methods of a group-by with an entry per row; all others make a table keyed by group."""

SELECTIONS = frozenset({"sample", "head", "tail", "nlargest", "nsmallest", "take", "truncate"})

ROW_DROPPING = frozenset({"dropna", "drop_duplicates", "query"})

RESHAPES = frozenset({"explode", "melt", "stack", "unstack", "pivot", "pivot_table", "wide_to_long"})
"""N12: one row becomes several, or several become one."""

IN_PLACE = _names(
    """append extend insert remove clear update add discard setdefault popitem sort reverse pop add_categories
    set_params partial_fit fit fit_transform fit_predict fit_resample seed shuffle set_flags train load_model
    save_model"""
)
"""Methods that change their receiver."""

IN_PLACE_ON_ROWS = frozenset({"insert", "pop", "update", "sort", "fill", "resize", "put", "setfield", "isetitem"})

FITS = frozenset({"fit", "fit_transform", "fit_predict", "fit_resample", "partial_fit"})
PREDICTS = _names(
    """predict predict_proba predict_log_proba decision_function score_samples predict_classes inplace_predict
    forecast predict_on_batch"""
)
SCORES = frozenset({"score", "evaluate", "cross_validate", "summary"})

SCALER_FUNCTIONS = _names(
    "scale minmax_scale maxabs_scale robust_scale quantile_transform power_transform label_binarize"
)
"""F10: of sklearn.preprocessing, as functions."""

SPLITTERS = frozenset({"train_test_split"})

PANDAS_FREEZABLE = {"get_dummies": "F4", "factorize": "F4", "qcut": "F5", "cut": "F5"}

VALUE_MODULES = (
    "matplotlib",
    "seaborn",
    "plotly",
    "altair",
    "bokeh",
    "sklearn.metrics",
    "sklearn.inspection",
    "sklearn.utils.multiclass",
    "sklearn.model_selection.cross",
    "IPython",
    "scipy.stats",
    "missingno",
    "pprint",
    "wandb",
    "mlflow",
    "shap",
    "warnings",
    "logging",
    "os",
    "sys",
    "time",
    "gc",
    "display",
)
"""Modules whose functions look at rows and give none back."""

VALUE_FUNCTIONS = _names(
    """cross_val_score cross_validate permutation_importance learning_curve validation_curve isinstance print len type
    id dir display help hasattr callable repr accuracy_score mean_squared_error mean_absolute_error r2_score
    roc_auc_score
    f1_score confusion_matrix classification_report log_loss roc_curve set frozenset dict any all"""
)

ESTIMATOR_MODULES = (
    "sklearn",
    "xgboost",
    "lightgbm",
    "catboost",
    "imblearn",
    "statsmodels",
    "category_encoders",
    "feature_engine",
    "tensorflow",
    "keras",
    "torch",
)

ROW_CLASSES = _names(
    """DataFrame Series DMatrix QuantileDMatrix Dataset Pool csr_matrix csc_matrix coo_matrix Index Categorical Tensor
    DatetimeIndex"""
)
"""Classes that hold the rows that they are given."""

RANDOM_MODELS = _names(
    """RandomForestClassifier RandomForestRegressor ExtraTreesClassifier ExtraTreesRegressor GradientBoostingClassifier
    GradientBoostingRegressor HistGradientBoostingClassifier HistGradientBoostingRegressor DecisionTreeClassifier
    DecisionTreeRegressor MLPClassifier MLPRegressor SGDClassifier SGDRegressor KMeans MiniBatchKMeans BaggingClassifier
    BaggingRegressor AdaBoostClassifier AdaBoostRegressor IsolationForest RandomizedSearchCV TruncatedSVD
    Perceptron"""
)
"""T4: without `random_state` each run gives another model."""

LEAKY_FITS = _names(
    """StandardScaler MinMaxScaler MaxAbsScaler RobustScaler Normalizer QuantileTransformer PowerTransformer PCA
    TruncatedSVD KernelPCA FastICA NMF SimpleImputer KNNImputer IterativeImputer SelectKBest SelectPercentile RFE RFECV
    SelectFromModel VarianceThreshold TfidfVectorizer TfidfTransformer KBinsDiscretizer TargetEncoder KMeans
    LinearDiscriminantAnalysis OrdinalEncoder OneHotEncoder ColumnTransformer CountVectorizer DictVectorizer"""
)
"""T1: fitting one before the split lets it see the test rows. Plain encoders of labels learn nothing from them."""

RANDOM_FUNCTIONS = _names(
    """rand randn randint random random_sample normal uniform choice choices binomial poisson exponential beta gamma
    lognormal integers standard_normal permutation shuffle sample triangular gauss randrange betavariate uuid4
    uuid1 token_hex"""
)
RANDOM_MODULES = ("numpy.random", "random", "uuid", "secrets")
CLOCKS = frozenset({"now", "today", "utcnow", "time", "time_ns", "localtime", "gmtime"})
CLOCK_OWNERS = (
    "datetime",
    "datetime.datetime",
    "datetime.date",
    "pandas.Timestamp",
    "pandas.to_datetime",
    "time",
    "pandas",
    "pendulum",
    "arrow",
)
NETWORK_MODULES = ("requests", "urllib", "httpx", "aiohttp", "socket")
ENVIRONMENT = ("os.environ", "os.getenv")

REASONS = {
    "F1": "what was fitted in training is kept, and only applied when serving",
    "F2": "a statistic of the whole column: training's value is kept",
    "F3": "a fill with a statistic: training's value is kept",
    "F4": "depends on the values present: training's categories and their order are kept",
    "F5": "depends on the distribution: training's bin edges are kept",
    "F7": "a group statistic: training's table from key to value is kept",
    "F8": "depends on the rows present: what training kept is kept",
    "F10": "scales by the whole batch: training's scaling is kept",
    "F13": "a table made in the notebook: kept as a lookup",
}
"""Why a value is captured, by rule."""
