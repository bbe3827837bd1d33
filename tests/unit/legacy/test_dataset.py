import numpy as np

from emopy.legacy.adapters.dataset import Dataset


def test_what_went_in_comes_out(capsys):
    train, test = np.zeros((5, 8, 8, 1)), np.ones((2, 8, 8, 1))
    data = Dataset(train, test, np.eye(5), np.eye(2), {"anger": 0, "calm": 1}, time_delay=3)
    assert data.get_training_data()[0] is train
    assert data.get_test_data()[0] is test
    assert data.get_test_data()[1].tolist() == np.eye(2).tolist()
    assert data.get_emotion_index_map() == {"anger": 0, "calm": 1}
    assert data.get_time_delay() == 3
    assert (data.num_train_images(), data.num_test_images(), data.num_images()) == (5, 2, 7)
    data.print_data_details()
    assert capsys.readouterr().out.splitlines() == [
        "DATASET DETAILS",
        "7 image samples",
        "5 training samples",
        "2 test samples",
    ]
