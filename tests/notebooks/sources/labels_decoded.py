# The target is encoded for training, and the answer decoded again; rows without a target are dropped.

# %%
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder, OrdinalEncoder

full_pumpkins = pd.read_csv("pumpkins.csv")
# %% [feature]
pumpkins = full_pumpkins[["City Name", "Package", "Variety", "Origin", "Item Size", "Color"]]
pumpkins = pumpkins.dropna(subset=["Color"])
pumpkins = pumpkins.fillna({"Item Size": "unknown"})
# %% [feature]
encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
X = encoder.fit_transform(pumpkins.drop(columns="Color"))
color = LabelEncoder()
y = color.fit_transform(pumpkins["Color"])
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=0)
# %% [train]
forest = RandomForestClassifier(n_estimators=30, max_depth=6, random_state=0)
forest.fit(X_train, y_train)
# %% [predict]
codes = forest.predict(X_test)
colors = color.inverse_transform(codes)
colors[:5]
