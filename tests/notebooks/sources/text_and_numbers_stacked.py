# TF-IDF and hand-made numbers stacked as one sparse matrix.

# %%
import pandas as pd
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
# %%
sms = pd.read_csv("messages.csv")
# %% [feature]
sms["length"] = sms["Message"].str.len()
sms["digits"] = sms["Message"].str.count(r"\d")
sms["shout"] = sms["Message"].apply(lambda t: sum(ch.isupper() for ch in t) / len(t))
train, test = train_test_split(sms, test_size=0.3, random_state=20, stratify=sms["Category"])
# %% [feature]
tfidf = TfidfVectorizer(lowercase=True, ngram_range=(1, 2), min_df=2)
tfidf.fit(train["Message"])


def to_matrix(frame):
    words = tfidf.transform(frame["Message"])
    numbers = csr_matrix(frame[["length", "digits", "shout"]].values)
    return hstack([words, numbers]).tocsr()
# %% [feature]
X_train = to_matrix(train)
X_test = to_matrix(test)
# %% [train]
clf = LogisticRegression(max_iter=2000)
clf.fit(X_train, train["Category"])
# %% [predict]
labels = clf.predict(X_test)
