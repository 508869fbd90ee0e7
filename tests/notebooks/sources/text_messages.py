# A vectorizer and a model, kept apart; rows are one text column.

# %%
import pandas as pd
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import MultinomialNB
# %%
df = pd.read_csv("messages.csv")
df.groupby("Category").describe()
# %% [feature]
df["spam"] = df["Category"].apply(lambda x: 1 if x == "spam" else 0)
X_train, X_test, y_train, y_test = train_test_split(df.Message, df.spam, test_size=0.25, random_state=9)
# %% [feature]
v = CountVectorizer()
X_train_count = v.fit_transform(X_train.values)
X_train_count.toarray()[:2]
# %% [train]
model = MultinomialNB()
model.fit(X_train_count, y_train)
# %% [predict]
X_test_count = v.transform(X_test)
y_pred = model.predict(X_test_count)
# %%
model.score(X_test_count, y_test)
