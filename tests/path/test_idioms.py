"""What people write in feature cells, one idiom each: the served code answers as the notebook did, together and one by one."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.path.inprocess import serve

LOAD = """import numpy as np
import pandas as pd
import re
rng = np.random.default_rng(1)
df = pd.DataFrame({'age':[22.0,38.0,None,35.0,54.0,2.0,27.0,14.0]*5,'sex':['m','f','f','m','m','m','f','f']*5,'name':['Braund, Mr. Owen','Cumings, Mrs. John','Heikkinen, Miss. Laina','Allen, Mr. William','McCarthy, Mr. Tim','Palsson, Master. G','Johnson, Mrs. O','Nasser, Mrs. N']*5,
 'fare':np.arange(40)*1.5+1,'cab':[None,'C85',None,'C123','E46',None,None,'B20']*5,'date':pd.date_range('2024-01-01',periods=40).astype(str),'cls':[3,1,3,1,1,3,3,2]*5})"""

# One idiom a paragraph; `f` is what the model would be given.
IDIOMS = r"""
# star imports
from math import *
from sklearn.preprocessing import *
df['l'] = [log(v + pi) for v in df['fare']]
X = StandardScaler().fit_transform(df[['l']])
f = pd.Series(X[:, 0]) + df['l'].apply(lambda v: sqrt(v))

# rows located by a mask
df = df.loc[df['fare'] < 50]
df = df.loc[~df['age'].isna()].copy()
f = df.loc[df.cls.isin([1, 3])]['fare']

# codes of a Categorical
f = pd.Series(pd.Categorical(df['sex']).codes, index=df.index) + df['fare']

# a function of pandas by pipe
f = df[['age', 'sex']].pipe(pd.get_dummies, columns=['sex'])['sex_m'] * df['fare']

# title
df['title'] = df.name.str.extract(r' ([A-Za-z]+)\.', expand=False)
df['title'] = df['title'].replace(['Master','Mrs'], 'Rare')
f = df['title'].map({'Mr':1,'Miss':2,'Rare':3}).fillna(0)

# title_loop
for dataset in [df]:
    dataset['Title'] = dataset.name.apply(lambda n: n.split(',')[1].split('.')[0].strip())
f = df['Title'].str.len()

# bands
df['band'] = pd.cut(df['fare'], 5)
df.loc[df['fare'] <= 16, 'fare'] = 0
df.loc[(df['fare'] > 16) & (df['fare'] <= 32), 'fare'] = 1
df.loc[df['fare'] > 32, 'fare'] = 2
f = df['fare']

# family
df['fam'] = df['cls'] + 1
df['alone'] = 0
df.loc[df['fam'] == 2, 'alone'] = 1
f = df['alone']

# np.where chain
f = pd.Series(np.where(df.age < 16, 'child', np.where(df.sex == 'm', 'man', 'woman'))).map({'child':0,'man':1,'woman':2})

# select
f = pd.Series(np.select([df.fare < 10, df.fare < 30], [0, 1], default=2), index=df.index)

# cabin
df['deck'] = df['cab'].str[0].fillna('U')
f = df['deck'].map({l:i for i, l in enumerate(sorted(df['deck'].unique()))})

# groupmedian
df['age'] = df.groupby(['sex','cls'])['age'].transform(lambda x: x.fillna(x.median()))
f = df['age'].fillna(df['age'].median())

# groupapply map
med = df.groupby('sex')['age'].median()
f = df.apply(lambda r: med[r['sex']] if pd.isnull(r['age']) else r['age'], axis=1)

# dates
df['date'] = pd.to_datetime(df['date'])
df['m'] = df['date'].dt.month
df['wd'] = df['date'].dt.weekday
f = df['m'] * 10 + df['wd'] + (df['date'] - pd.Timestamp('2024-01-01')).dt.days

# since min
d = pd.to_datetime(df['date'])
f = (d - d.min()).dt.days

# log
df['l'] = np.log1p(df['fare'])
skew = df[['fare','l']].skew()
for c in skew[skew > 5].index:
    df[c] = np.sqrt(df[c])
f = df['l']

# scaler
from sklearn.preprocessing import StandardScaler
sc = StandardScaler()
df[['fare','cls']] = sc.fit_transform(df[['fare','cls']])
f = df['fare'] + df['cls']

# minmax anonymous
from sklearn.preprocessing import MinMaxScaler
X = MinMaxScaler().fit_transform(df[['fare','cls']])
f = pd.DataFrame(X)[0]

# label loop
from sklearn.preprocessing import LabelEncoder
for c in ['sex','cab']:
    df[c] = df[c].fillna('NA')
    df[c] = LabelEncoder().fit_transform(df[c])
f = df['sex'] + df['cab']

# label one le
from sklearn.preprocessing import LabelEncoder
le = LabelEncoder()
for c in ['sex','name']:
    df[c] = le.fit_transform(df[c])
f = df['sex'] + df['name']

# apply le
from sklearn.preprocessing import LabelEncoder
df[['sex','name']] = df[['sex','name']].apply(LabelEncoder().fit_transform)
f = df['sex'] + df['name']

# ordinal
from sklearn.preprocessing import OrdinalEncoder
df[['sex','name']] = OrdinalEncoder().fit_transform(df[['sex','name']])
f = df['sex'] + df['name']

# onehot
from sklearn.preprocessing import OneHotEncoder
oh = OneHotEncoder(sparse_output=False, handle_unknown='ignore')
E = pd.DataFrame(oh.fit_transform(df[['sex','cls']]), columns=oh.get_feature_names_out(), index=df.index)
f = pd.concat([df[['fare']], E], axis=1).sum(axis=1)

# dummies drop
d = pd.get_dummies(df, columns=['sex','cls'], drop_first=True)
f = d.drop(['name','cab','date','age'], axis=1).astype(float).sum(axis=1)

# imputer
from sklearn.impute import SimpleImputer
df['age'] = SimpleImputer(strategy='mean').fit_transform(df[['age']])
f = df['age']

# imputer ravel
from sklearn.impute import SimpleImputer
df['age'] = SimpleImputer(strategy='median').fit_transform(df['age'].values.reshape(-1,1)).ravel()
f = df['age']

# knn imputer
from sklearn.impute import KNNImputer
f = pd.DataFrame(KNNImputer(n_neighbors=3).fit_transform(df[['age','fare']]), columns=['a','b'])['a']

# pca
from sklearn.decomposition import PCA
p = PCA(2).fit(df[['fare','cls']])
f = pd.Series(p.transform(df[['fare','cls']])[:,0])

# kmeans
from sklearn.cluster import KMeans
km = KMeans(2, n_init=1, random_state=0)
df['c'] = km.fit_predict(df[['fare']])
f = df['c']

# poly
from sklearn.preprocessing import PolynomialFeatures
f = pd.Series(PolynomialFeatures(2).fit_transform(df[['fare','cls']]).sum(axis=1))

# freq
df['n'] = df['name'].map(df['name'].value_counts(normalize=True))
f = df['n']

# groupcount
f = df.groupby('cls')['fare'].transform('count') / len(df)

# merge agg
agg = df.groupby('cls').agg(mf=('fare','mean'), mx=('fare','max')).reset_index()
df = df.merge(agg, on='cls', how='left')
f = df['mf'] - df['mx']

# map agg dict
m = df.groupby('cls')['fare'].mean().to_dict()
f = df['cls'].map(m)

# iqr cap
q1, q3 = df.fare.quantile([.25,.75])
iqr = q3 - q1
df['fare'] = df['fare'].clip(q1 - 1.5*iqr, q3 + 1.5*iqr)
f = df['fare']

# winsor np
lo, hi = np.percentile(df.fare, [5, 95])
f = df.fare.apply(lambda v: lo if v < lo else (hi if v > hi else v))

# zscore
from scipy import stats
f = pd.Series(stats.zscore(df['fare']))

# boxcox
from scipy import stats
df['fare'], lam = stats.boxcox(df['fare'])
f = df['fare']

# mode fill
df['cab'] = df['cab'].fillna(df['cab'].mode()[0])
f = df['cab'].str.len()

# fillna dict loop
for c in df.columns:
    if df[c].dtype == 'object' or str(df[c].dtype) == 'str':
        df[c] = df[c].fillna(df[c].mode()[0])
    else:
        df[c] = df[c].fillna(df[c].median())
f = df['age'] + df['cab'].str.len()

# select_dtypes
num = df.select_dtypes(include=np.number).columns.tolist()
f = df[num].fillna(0).sum(axis=1)

# corr columns
cols = [c for c in df.select_dtypes('number').columns if abs(df[c].corr(df['cls'])) > 0.01]
f = df[cols].fillna(0).sum(axis=1)

# null columns
df = df.dropna(axis=1, thresh=30)
f = df.select_dtypes('number').sum(axis=1)

# missing frac
drop = df.columns[df.isnull().mean() > 0.3]
df = df.drop(columns=drop)
f = df.select_dtypes('number').fillna(0).sum(axis=1)

# tfidf
from sklearn.feature_extraction.text import TfidfVectorizer
tv = TfidfVectorizer()
M = tv.fit_transform(df['name'])
f = pd.Series(np.asarray(M.sum(axis=1)).ravel())

# count toarray
from sklearn.feature_extraction.text import CountVectorizer
cv = CountVectorizer(max_features=5)
X = cv.fit_transform(df['name']).toarray()
f = pd.Series(X.sum(axis=1))

# hstack
from scipy.sparse import hstack, csr_matrix
from sklearn.feature_extraction.text import CountVectorizer
X = hstack([CountVectorizer().fit_transform(df['name']), csr_matrix(df[['fare']].values)])
f = pd.Series(np.asarray(X.sum(axis=1)).ravel())

# column_stack
f = pd.Series(np.column_stack([df.fare, df.cls]).sum(axis=1))

# to_numpy std
X = df[['fare','cls']].to_numpy()
X = (X - X.mean(axis=0)) / X.std(axis=0)
f = pd.Series(X[:,0])

# ones
X = np.c_[np.ones(len(df)), df[['fare','cls']].values]
f = pd.Series(X @ np.array([1.0, 2.0, 3.0]))

# ones shape
X = df[['fare','cls']].values
X = np.hstack([np.ones((X.shape[0], 1)), X])
f = pd.Series(X.dot([1.0, 2.0, 3.0]))

# zeros fill
out = np.zeros(len(df))
out[df.fare.values > 20] = 1
f = pd.Series(out)

# column zero
df['z'] = 0
df['z'] = df['z'] + df['fare']
f = df['z']

# lists arith
f = pd.Series([a * 2 if c == 1 else a for a, c in zip(df.fare, df.cls)])

# iterrows at
for i, row in df.iterrows():
    df.at[i, 'k'] = row['fare'] * 2
f = df['k']

# iterrows loc
df['k'] = 0.0
for i in df.index:
    if df.loc[i, 'cls'] == 3:
        df.loc[i, 'k'] = 1.0
f = df['k']

# dict rows
rows = df.to_dict('records')
f = pd.Series([r['fare'] + r['cls'] for r in rows])

# enumerate
vals = []
for i, v in enumerate(df['fare']):
    vals.append(v + 1)
f = pd.Series(vals)

# pipe
def add(t, k):
    return t.assign(x=t.fare + k)
f = df.pipe(add, 3)['x']

# class fe
class FE:
    def __init__(self):
        self.m = None
    def fit(self, d):
        self.m = d['age'].mean()
        return self
    def transform(self, d):
        d = d.copy()
        d['age'] = d['age'].fillna(self.m)
        return d
fe = FE()
f = fe.fit(df).transform(df)['age']

# query
df['hi'] = df.eval('fare * cls')
f = df['hi']

# astype cat
df['sex'] = df['sex'].astype('category').cat.codes
f = df['sex']

# where mask
df['age'] = df['age'].mask(df['age'] < 10, df['age'].median())
f = df['age'].fillna(0)

# combine
f = df['age'].combine_first(df['fare'])

# explode split
parts = df['name'].str.split(',', expand=True)
df['last'] = parts[0]
f = df['last'].str.len() + parts[1].str.len()

# regex count
f = df['name'].apply(lambda s: len(re.findall('[aeiou]', s)))

# sample shuffle
df = df.sample(frac=1, random_state=1).reset_index(drop=True)
f = df['fare']

# nunique frame
f = df['fare'] / df['cls'].nunique() + df.shape[0] + len(df.columns)

# top n
top = df['name'].value_counts().head(3).index
f = df['name'].where(df['name'].isin(top), 'other').str.len()

# replace map
df['sex'].replace({'m': 0, 'f': 1}, inplace=True)
f = df['sex'].map({'m': 0, 'f': 1})

# inplace
df.drop(['name'], axis=1, inplace=True)
df.rename(columns={'fare': 'price'}, inplace=True)
f = df['price']

# crosstab
ct = pd.crosstab(df.sex, df.cls)
f = df.apply(lambda r: ct.loc[r.sex, r.cls], axis=1)

# pivot
pv = df.pivot_table(values='fare', index='sex', columns='cls', aggfunc='mean')
f = df.apply(lambda r: pv.loc[r['sex'], r['cls']], axis=1)

# qcut labels
df['q'] = pd.qcut(df['fare'], 4, labels=['a','b','c','d'])
f = df['q'].map({'a':1,'b':2,'c':3,'d':4}).astype(int)

# qcut codes
df['q'] = pd.qcut(df['fare'], 4)
from sklearn.preprocessing import LabelEncoder
f = pd.Series(LabelEncoder().fit_transform(df['q'].astype(str)))

# np.digitize
f = pd.Series(np.digitize(df.fare, bins=np.linspace(df.fare.min(), df.fare.max(), 5)))

# gathered in a list
parts = []
for c in ['sex', 'cls']:
    parts.append(pd.get_dummies(df[c], prefix=c))
f = pd.concat(parts, axis=1).mul([1, 2, 4, 8, 16]).sum(axis=1)

# gathered in a list that holds some
parts = [df[['fare']]]
parts.extend([pd.get_dummies(df[c], prefix=c) for c in ['sex', 'cls']])
parts += [df[['fare']].rename(columns={'fare': 'again'})]
f = pd.concat(parts, axis=1).mul([1, 2, 4, 8, 16, 32, 64]).sum(axis=1)

# gathered in a dict
made = {}
for c in ['sex', 'cls']:
    made[c] = pd.get_dummies(df[c], prefix=c)
f = pd.concat([df[['fare']], *made.values()], axis=1).mul([1, 2, 4, 8, 16, 32]).sum(axis=1) + made['sex']['sex_m']

# gathered in dicts of a list
parts = []
for c in ['sex', 'cls']:
    parts.append({'made': pd.get_dummies(df[c], prefix=c), 'column': c})
f = pd.concat([p['made'] for p in parts if p['column'] != 'sex'], axis=1).mul([1, 2, 4]).sum(axis=1)

# gathered in a function
def dummies(d, names):
    parts = []
    for c in names:
        parts.append(pd.get_dummies(d[c], prefix=c))
    return pd.concat(parts, axis=1)
f = dummies(df, ['sex', 'cls']).mul([1, 2, 4, 8, 16]).sum(axis=1)

# a function that reads the table by its name
def share(name):
    return df[name] / df[name].max()
df['share'] = share('fare')
f = df['share']

# a function defined in a function
factor = df['fare'].max()
def shared(d):
    def part(v):
        return v / factor
    d['part'] = d['fare'].apply(part)
    return d
df = shared(df)
f = df['part']

# functions that read it through another
def top(name):
    return df[name].max()
def share(name):
    return df[name] / top(name)
f = share('fare') + share('cls')

# a function that changes it by its name
def doubled(name, limit=3):
    df[name] = df[name] * 2
    df.loc[df['fare'] > limit, name] = 0
for c in ['cls', 'fare']:
    doubled(c)
f = df['cls'] + df['fare']

# outliers found by a function that reads it
def high(name):
    low, top = df[name].quantile(0.01), df[name].quantile(0.99)
    return df[name] > top + 10 * (top - low)
df = df.drop(df[high('fare')].index)
f = df['fare'] * 2

# splits kept in a list
from sklearn.model_selection import ShuffleSplit
splits = []
for fit_at, test_at in ShuffleSplit(n_splits=3, test_size=0.5, random_state=0).split(df):
    fit_rows = df.iloc[fit_at]
    test_rows = df.iloc[test_at]
    splits.append([fit_rows, test_rows])
fit_rows, test_rows = splits[0]
f = test_rows['fare'] * 2

# categories set by hand
df['sex'] = df['sex'].astype('category').cat.set_categories(['x', 'm', 'f'])
f = df['sex'].cat.codes * 1.0

# tables stacked under keys, taken apart by one
both = pd.concat([df[:25], df[25:]], keys=['train', 'test'])
both['fare'] = both['fare'] / both['fare'].max()
both = pd.get_dummies(both[['fare', 'sex']], columns=['sex'])
A, B = both.loc['train'], both.xs('test')
f = B['fare'] + B['sex_f']

# a function that remembers its answers
from functools import lru_cache
rate = {'m': 2.0}
@lru_cache(maxsize=None)
def rated(sex):
    return rate.get(sex, 1.0)
df['rate'] = df['sex'].map(rated)
rate['m'] = 9.0
f = df['rate']

# a statistic of two keys, laid beside the rows
means = df.groupby(['sex', 'cls'])['age'].median()
keys = pd.MultiIndex.from_frame(df[['sex', 'cls']])
df['age'] = df['age'].where(df['age'].notna(), means.reindex(keys).to_numpy())
f = df['age']

# targetenc
enc = df.groupby('sex')['cls'].agg(['mean','count'])
s = (enc['mean'] * enc['count'] + 2 * 5) / (enc['count'] + 5)
f = df['sex'].map(s)
"""
CASES = [text.split("\n", 1) for text in IDIOMS.strip().split("\n\n")]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("code", [code for _, code in CASES], ids=[name.removeprefix("# ") for name, _ in CASES])
def test_an_idiom_is_served_as_it_ran(code: str, tmp_path: Path) -> None:
    served = serve([("feature", f"{LOAD}\n{code}"), ("predict", "pred = f * 1.0")], tmp_path)
    alone = served.one_by_one()
    for answers in (served.answers(served.predicted), alone):
        assert len(answers) == len(served.expected)
        assert all(equal(one, other) for one, other in zip(answers, served.expected, strict=True))


def equal(one: float | None, other: float | None) -> bool:
    """Missing equals missing; floats up to their last bits."""
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
