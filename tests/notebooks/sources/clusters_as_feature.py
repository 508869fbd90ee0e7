# fit_predict of k-means and fit_transform of PCA make features.

# %%
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import StandardScaler

wine = pd.read_csv("white_wine.csv")
# %% [feature]
X = wine.drop(columns="quality")
Z = StandardScaler().fit_transform(X)
X["cluster"] = KMeans(n_clusters=4, n_init=5, random_state=0).fit_predict(Z)
pca = PCA(n_components=2, random_state=0)
components = pca.fit_transform(Z)
X["pc1"] = components[:, 0]
X["pc2"] = components[:, 1]
X = pd.get_dummies(X, columns=["cluster"])
# %% [train]
lr = LinearRegression()
lr.fit(X.iloc[:260], wine["quality"].iloc[:260])
# %% [predict]
quality = lr.predict(X.iloc[260:])
